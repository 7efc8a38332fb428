using System.Net;
using Portico.Core.Telegram;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Portico.TestKit.Memory;

namespace Portico.Core.Tests.Staging;

/// <summary>A client's packet as the middle proxy got it.</summary>
internal sealed record StageRequest(long Id, byte[] Packet, uint Flags);

/// <summary>A middle proxy behind one link of the proxy: answers the set-up by itself, everything else when the test says so.</summary>
internal sealed class StageLink(MemoryConnect connect)
{
    private static readonly byte[] OwnNonce = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

    // The proxy pads its nonce to whole blocks.
    private const int NonceOnTheWire = 48;

    private byte[] _raw = [];
    private byte[] _plain = [];
    private int _received = FullFrame.FirstSequence;
    private int _sent = FullFrame.FirstSequence;
    private MiddleProxyCipher _fromProxy;
    private MiddleProxyCipher _toProxy;
    private bool _ended;

    /// <summary>Where clients of the stage go: DC 2.</summary>
    public static IPEndPoint Address { get; } = EmbeddedConfig.V4.Endpoints(2).First();

    /// <summary>The address that the proxy is told it has.</summary>
    public static IPAddress External { get; } = IPAddress.Parse("192.0.2.99");

    public MemoryPeer Peer => connect.Peer;

    /// <summary>Where the proxy connected to.</summary>
    public IPEndPoint Remote => connect.Address;

    /// <summary>When the proxy began to connect.</summary>
    public long BegunMs => connect.AtMs;

    /// <summary>Answers nothing, not even the nonce.</summary>
    public bool IsMute { get; set; }

    /// <summary>Words of padding behind the nonce, which is plain text.</summary>
    public int PaddingWords { get; set; }

    /// <summary>Sends the set-up's bytes in pieces of this length.</summary>
    public int PieceLength { get; set; } = int.MaxValue;

    /// <summary>Called after each such piece.</summary>
    public Action? AfterEachPiece { get; set; }

    public bool IsReady => _received >= 0;

    /// <summary>The proxy still holds its end, and this one has not ended either.</summary>
    public bool IsOpen => !_ended && !Peer.IsReleased;

    public List<StageRequest> Requests { get; } = [];

    /// <summary>Ids that the proxy said goodbye for.</summary>
    public List<long> Farewells { get; } = [];

    public int Pings { get; private set; }

    public int Pongs { get; private set; }

    public Action<StageLink, StageRequest>? OnRequest { get; set; }

    /// <summary>Takes what the proxy sent. True if there was anything.</summary>
    public bool Work()
    {
        var bytes = Peer.Take();
        if (bytes.Length == 0 || IsMute || _ended) return false;
        _raw = [.. _raw, .. bytes];
        if (_received == FullFrame.FirstSequence && !TakeNonce()) return false;
        var whole = _raw.Length - (_raw.Length % MiddleProxyCipher.BlockLength);
        _fromProxy.Decrypt(_raw.AsSpan(0, whole));
        _plain = [.. _plain, .. _raw[..whole]];
        _raw = _raw[whole..];
        while (!_ended && Read(_plain, out var frame))
        {
            var payload = _plain[frame.PayloadOffset..(frame.PayloadOffset + frame.PayloadLength)];
            _plain = _plain[frame.Consumed..];
            Take(payload);
        }

        return true;
    }

    public void Answer(long id, ReadOnlySpan<byte> packet) => Peer.Send(AnswerBytes(id, packet));

    /// <summary>An answer as it looks on the wire. To be sent in the order of the calls.</summary>
    public byte[] AnswerBytes(long id, ReadOnlySpan<byte> packet)
    {
        var payload = new byte[RpcPacket.ProxyAnsHeaderLength + packet.Length];
        RpcPacket.WriteProxyAnsHeader(payload, 0, id);
        packet.CopyTo(payload.AsSpan(RpcPacket.ProxyAnsHeaderLength));
        return Encode(payload);
    }

    public void CloseExt(long id)
    {
        var payload = new byte[RpcPacket.CloseLength];
        RpcPacket.WriteCloseExt(payload, id);
        Peer.Send(Encode(payload));
    }

    public void Ping(long id)
    {
        var payload = new byte[RpcPacket.PingLength];
        RpcPacket.WritePing(payload, id);
        Peer.Send(Encode(payload));
    }

    public void Pong(long id)
    {
        var payload = new byte[RpcPacket.PingLength];
        RpcPacket.WritePong(payload, id);
        Peer.Send(Encode(payload));
    }

    /// <summary>FIN, as Telegram does every minute. What the proxy sends from now on is not looked at.</summary>
    public void Finish()
    {
        if (!IsOpen) return;
        _ended = true;
        Peer.Finish();
    }

    public void Reset()
    {
        if (!IsOpen) return;
        _ended = true;
        Peer.Reset();
    }

    private bool TakeNonce()
    {
        if (_raw.Length < NonceOnTheWire) return false;
        if (!Read(_raw.AsSpan(0, NonceOnTheWire), out var frame))
            throw new InvalidOperationException("no nonce");
        var selector = EmbeddedConfig.Secret.KeySelector;
        if (!RpcNonce.TryRead(_raw.AsSpan(frame.PayloadOffset, frame.PayloadLength), selector, out var nonce, out var error))
            throw new InvalidOperationException($"{error}");
        var local = Peer.Channel!.LocalAddress()!;
        var proxy = local.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? local : new IPEndPoint(External, local.Port);
        MiddleProxyKeys.Derive(
            OwnNonce, nonce.Nonce, nonce.Timestamp, connect.Address, proxy, EmbeddedConfig.Secret, out _fromProxy, out _toProxy);
        var payload = new byte[RpcNonce.Length];
        RpcNonce.Write(payload, selector, nonce.Timestamp, OwnNonce);
        _raw = _raw[NonceOnTheWire..];
        Tell(Frame(payload, PaddingWords * 4));
        return true;
    }

    private void Take(byte[] payload)
    {
        if (_received == 0 && _sent == FullFrame.FirstSequence + 1)
        {
            if (!RpcHandshake.TryRead(payload, out var handshake, out var error))
                throw new InvalidOperationException($"{error}");
            var answer = new byte[RpcHandshake.Length];
            RpcHandshake.Write(answer, handshake.PeerPid, handshake.SenderPid);
            Tell(Encode(answer));
            return;
        }

        var packet = RpcPacket.Read(payload);
        switch (packet.Kind)
        {
            case RpcPacketKind.ProxyReq:
                if (!RpcProxyReq.TryRead(payload, out var header, out var offset))
                    throw new InvalidOperationException("bad request");
                var request = new StageRequest(header.ConnectionId, payload[offset..], header.Flags);
                Requests.Add(request);
                OnRequest?.Invoke(this, request);
                break;
            case RpcPacketKind.CloseConn:
                Farewells.Add(packet.ConnectionId);
                break;
            case RpcPacketKind.Ping:
                Pings++;
                break;
            case RpcPacketKind.Pong:
                Pongs++;
                break;
            default:
                throw new InvalidOperationException($"{packet.Kind} from the proxy");
        }
    }

    // Every frame of the proxy must be right: a wrong number or checksum is a failed test.
    private bool Read(ReadOnlySpan<byte> bytes, out FullFrame frame)
    {
        var status = FullFrame.TryRead(bytes, _received, checkCrc: true, out frame, out var error);
        if (status == FrameStatus.Invalid)
            throw new InvalidOperationException($"{error} from the proxy");
        if (status == FrameStatus.Ok) _received++;
        return status == FrameStatus.Ok;
    }

    private void Tell(byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, PieceLength);
            Peer.Send(bytes.AsSpan(at, length));
            at += length;
            AfterEachPiece?.Invoke();
        }
    }

    private byte[] Encode(byte[] payload)
    {
        var length = FullFrame.HeaderLength + payload.Length + FullFrame.TrailerLength;
        var frame = Frame(payload, FullFrame.PaddingLength(length));
        _toProxy.Encrypt(frame);
        return frame;
    }

    private byte[] Frame(byte[] payload, int padding)
    {
        var frame = new byte[FullFrame.HeaderLength + payload.Length + FullFrame.TrailerLength + padding];
        var length = FullFrame.Write(frame, _sent++, payload);
        FullFrame.WritePadding(frame.AsSpan(length));
        return frame;
    }
}
