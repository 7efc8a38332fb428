using System.Net;
using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.TestKit.Middle;

/// <summary>What came instead of, or as, the next frame.</summary>
/// <param name="Payload">Of a right frame, else empty.</param>
/// <param name="Error">What is wrong with the bytes that came.</param>
/// <param name="End">How the link ended, if it did before a frame was whole.</param>
internal sealed record Came(byte[] Payload, MiddleProxyError Error = MiddleProxyError.None, PeerEnd End = PeerEnd.None);

/// <summary>The proxy's side of a link, driven by hand.</summary>
internal sealed class LinkClient : IAsyncDisposable
{
    public const long Id = 0x0123456789abcdef;

    private readonly MiddleProxySecret _secret;
    private readonly byte[] _nonce = RandomNumberGenerator.GetBytes(RpcNonce.NonceLength);
    private readonly uint _timestamp = (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
    private MiddleProxyCipher _toServer;
    private MiddleProxyCipher _toProxy;
    private bool _isEncrypted;
    private bool _mayStartWithPadding;
    private byte[] _raw = [];
    private byte[] _plain = [];
    private long _position;
    private int _sendSequence = FullFrame.FirstSequence;
    private int _receiveSequence = FullFrame.FirstSequence;

    // Where Telegram sees this proxy.
    private readonly IPEndPoint _self;

    private LinkClient(Wire wire, MiddleProxySecret secret, IPAddress? publicAddress)
    {
        (Wire, _secret) = (wire, secret);
        _self = new IPEndPoint(publicAddress ?? wire.Local.Address, wire.Local.Port);
    }

    public Wire Wire { get; }

    /// <summary>Where each frame after the nonce began in the stream.</summary>
    public List<long> FrameOffsets { get; } = [];

    public static async Task<LinkClient> ConnectAsync(FakeMiddleProxy fake, MiddleProxySecret secret, IPAddress? publicAddress = null) =>
        new(await Wire.ConnectAsync(fake.Endpoint), secret, publicAddress);

    /// <summary>Connects and shakes hands.</summary>
    public static async Task<LinkClient> OpenAsync(FakeMiddleProxy fake, MiddleProxySecret secret)
    {
        var link = await ConnectAsync(fake, secret);
        Assert.Equal(MiddleProxyError.None, await link.ShakeHandsAsync());
        return link;
    }

    /// <summary>Both steps.</summary>
    public async Task<MiddleProxyError> ShakeHandsAsync()
    {
        await SendNonceAsync();
        var error = TakeNonce(await ReceiveAsync());
        if (error != MiddleProxyError.None)
            return error;
        await SendHandshakeAsync();
        return TakeHandshake(await ReceiveAsync());
    }

    public Task SendNonceAsync(uint? keySelector = null)
    {
        var payload = new byte[RpcNonce.Length];
        RpcNonce.Write(payload, keySelector ?? _secret.KeySelector, _timestamp, _nonce);
        return SendAsync(payload);
    }

    /// <summary>Turns encryption on unless the answer is wrong.</summary>
    public MiddleProxyError TakeNonce(Came came)
    {
        if (came.Error != MiddleProxyError.None)
            return came.Error;
        if (!RpcNonce.TryRead(came.Payload, _secret.KeySelector, out var message, out var error))
            return error;
        MiddleProxyKeys.Derive(message.Nonce, _nonce, _timestamp, Wire.Remote, _self, _secret, out _toServer, out _toProxy);
        _isEncrypted = _mayStartWithPadding = true;
        (_raw, _plain, _position) = (_plain, [], 0);
        return MiddleProxyError.None;
    }

    public Task SendHandshakeAsync()
    {
        var payload = new byte[RpcHandshake.Length];
        RpcHandshake.Write(payload, RpcHandshake.AnonymousPid, RpcHandshake.AnonymousPid);
        return SendAsync(payload);
    }

    public static MiddleProxyError TakeHandshake(Came came)
    {
        if (came.Error != MiddleProxyError.None)
            return came.Error;
        RpcHandshake.TryReadAnswer(came.Payload, RpcHandshake.AnonymousPid, out var error);
        return error;
    }

    /// <summary>A client's packet.</summary>
    public Task SendRequestAsync(byte[] packet, long id = Id, uint? flags = null) => SendAsync(Request(packet, id, flags));

    public byte[] Request(byte[] packet, long id = Id, uint? flags = null, AdTag? tag = null)
    {
        var proxyAddress = new byte[RpcAddress.Length];
        RpcAddress.Write(_self.Address, proxyAddress);
        var clientAddress = new byte[RpcAddress.Length];
        RpcAddress.Write(IPAddress.Parse("192.0.2.7"), clientAddress);
        var payload = new byte[RpcProxyReq.HeaderLengthFor(tag is not null) + packet.Length];
        var header = new RpcProxyReqHeader
        {
            Flags = flags
                ?? RpcProxyReqFlags.For(Transport.Intermediate, tag is not null, RpcProxyReqFlags.IsEncrypted(packet), quickAck: false),
            ConnectionId = id,
            ClientAddress = clientAddress,
            ClientPort = 4321,
            ProxyAddress = proxyAddress,
            ProxyPort = (ushort)_self.Port,
            AdTag = tag is null ? default : tag.Bytes,
        };
        packet.CopyTo(payload.AsSpan(RpcProxyReq.WriteHeader(payload, header)));
        return payload;
    }

    /// <summary>One frame each, one padding behind all.</summary>
    public Task SendAsync(params byte[][] payloads) => SendBytesAsync([.. payloads.SelectMany(Frame)]);

    /// <summary>A frame with the next number.</summary>
    public byte[] Frame(byte[] payload)
    {
        var frame = new byte[FullFrame.HeaderLength + payload.Length + FullFrame.TrailerLength];
        FullFrame.Write(frame, _sendSequence++, payload);
        return frame;
    }

    /// <summary>Whatever it is, padded to whole blocks and encrypted.</summary>
    public Task SendBytesAsync(byte[] bytes)
    {
        var padding = new byte[FullFrame.PaddingLength(bytes.Length)];
        FullFrame.WritePadding(padding);
        bytes = [.. bytes, .. padding];
        if (_isEncrypted)
            _toServer.Encrypt(bytes);
        return Wire.SendAsync(bytes);
    }

    public async Task<Came> ReceiveAsync(TimeSpan? patience = null)
    {
        var buffer = new byte[65536];
        while (true)
        {
            var status = FullFrame.TryRead(_plain, _receiveSequence, checkCrc: true, out var frame, out var error);
            if (status == FrameStatus.Invalid)
                return new Came([], error);
            if (status == FrameStatus.Ok)
            {
                var payload = _plain.AsSpan(frame.PayloadOffset, frame.PayloadLength).ToArray();
                FrameOffsets.Add(_position + frame.Consumed - frame.Length);
                _position += frame.Consumed;
                _plain = _plain[frame.Consumed..];
                _receiveSequence++;
                return new Came(payload);
            }
            var (count, end) = await Wire.ReadSomeAsync(buffer, patience);
            if (end != PeerEnd.None)
                return new Came([], End: end);
            _raw = [.. _raw, .. buffer.AsSpan(0, count)];
            if (_mayStartWithPadding && _raw.Length >= 4)
            {
                // what pads the nonce is not encrypted
                _raw = _raw.AsSpan().StartsWith((ReadOnlySpan<byte>)[4, 0, 0, 0]) ? _raw[4..] : _raw;
                _mayStartWithPadding = false;
            }
            if (_mayStartWithPadding)
                continue;
            var ready = _isEncrypted ? _raw[..(_raw.Length & ~15)] : _raw;
            _raw = _raw[ready.Length..];
            if (_isEncrypted)
                _toProxy.Decrypt(ready);
            _plain = [.. _plain, .. ready];
        }
    }

    /// <summary>The next frame is this.</summary>
    public async Task ExpectAsync(byte[] payload)
    {
        var came = await ReceiveAsync();
        Assert.Equal((MiddleProxyError.None, PeerEnd.None), (came.Error, came.End));
        Assert.Equal(payload, came.Payload);
    }

    /// <summary>There and back again.</summary>
    public async Task EchoAsync(int size = 8, long id = Id)
    {
        var packet = TestFrame.Create(TestCommand.Echo, RandomNumberGenerator.GetBytes(size));
        await SendRequestAsync(packet, id);
        await ExpectAsync(MiddlePayload.ProxyAns(id, packet));
    }

    public ValueTask DisposeAsync() => Wire.DisposeAsync();
}
