using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.SelfTest;

/// <summary>
/// A Telegram client as far as a proxy can tell: it comes in by any
/// transport and makes the checks that Telegram's clients make.
/// </summary>
/// <param name="secret">What the proxy wants to hear.</param>
/// <param name="domain">The name in its hellos.</param>
/// <param name="adTag">See <see cref="AdTag"/>.</param>
internal sealed class SelfTestClient(ProxySecret secret, string domain, AdTag? adTag = null)
{
    /// <summary>For a proxy that is asked whether it knows the secret, not where it is.</summary>
    public const string AnyDomain = "selftest.example";

    private readonly byte[] _domain = Encoding.ASCII.GetBytes(domain);

    /// <summary>Whose channel Telegram must be told to show it; the client itself knows nothing of it.</summary>
    public AdTag? AdTag => adTag;

    /// <summary>Connects and introduces itself.</summary>
    /// <exception cref="SocketException">The connection was refused or reset.</exception>
    /// <inheritdoc cref="IntroduceAsync"/>
    public async Task<PacketConnection> ConnectAsync(IPEndPoint proxy, ClientManner manner, short dcId, CancellationToken cancel) =>
        await IntroduceAsync(await DialAsync(proxy, cancel), manner, dcId, cancel);

    /// <summary>On a new connection: with fake TLS, shakes hands. The obfuscated header goes out with the first packet.</summary>
    /// <param name="socket">Taken over.</param>
    /// <param name="manner">How to come in.</param>
    /// <param name="dcId">Where to.</param>
    /// <param name="cancel">Nobody waits any more.</param>
    /// <exception cref="CheckFailedException">The proxy's flight is not what it must be.</exception>
    /// <exception cref="SocketException">The connection was reset.</exception>
    public async Task<PacketConnection> IntroduceAsync(Socket socket, ClientManner manner, short dcId, CancellationToken cancel)
    {
        try
        {
            if (manner.IsTls) await GreetAsync(socket, manner, cancel);
            return Over(new SocketWay(socket), manner, dcId);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A bare connection to the proxy.</summary>
    public static async Task<Socket> DialAsync(IPEndPoint proxy, CancellationToken cancel)
    {
        var socket = new Socket(proxy.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(proxy, cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A hello in one record, signed with our secret.</summary>
    public byte[] Hello(ClientHelloShape shape)
    {
        using var key = new HmacKey(secret);
        var hello = new byte[ClientHelloWriter.MaxLength];
        var length = new ClientHelloWriter(RandomNumberGenerator.Fill).Write(
            hello, shape, _domain, key, (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        return hello[..length];
    }

    /// <summary>An obfuscated header made with our secret.</summary>
    public void WriteHeader(Span<byte> header, Transport transport, short dcId, out ObfuscatedStreams streams)
    {
        do RandomNumberGenerator.Fill(header);
        while (ObfuscatedHeader.HasForbiddenStart(header));
        ObfuscatedHeader.Write(header, secret, transport, dcId, out streams);
    }

    /// <summary>On a way that needs no handshake: the obfuscated header goes out with the first packet.</summary>
    /// <param name="way">Taken over.</param>
    /// <param name="manner">The framing, and whether records are around it.</param>
    /// <param name="dcId">Where to.</param>
    public PacketConnection Over(IByteWay way, ClientManner manner, short dcId)
    {
        Span<byte> header = stackalloc byte[ObfuscatedHeader.Length];
        WriteHeader(header, manner.Transport, dcId, out var streams);
        return new PacketConnection(
            way, PacketEnd.Client, manner.Transport, streams.ServerToClient, streams.ClientToServer, manner.IsTls)
        {
            Header = header,
            InPieces = manner.InPieces,
        };
    }

    private async Task GreetAsync(Socket socket, ClientManner manner, CancellationToken cancel)
    {
        var hello = Hello(manner.Shape);
        var wire = manner.HelloRecords == 1 ? hello : HelloRecords.Split(hello, manner.HelloRecords);
        if (manner.InPieces) await Pieces.SendAsync(new SocketWay(socket), wire, cancel);
        else await socket.SendWholeAsync(wire, cancel);

        using var key = new HmacKey(secret);
        var answer = new byte[2 * TlsRecordWriter.MaxPayload];
        var length = 0;
        while (!IsFlight(answer.AsSpan(0, length), HelloRecords.RandomOf(hello), key))
        {
            var count = await socket.ReceiveAsync(answer.AsMemory(length), cancel);
            if (count == 0)
                throw new CheckFailedException(length == 0 ? "the hello was answered with a close" : "the flight ends in the middle");
            length += count;
        }
    }

    private static bool IsFlight(ReadOnlySpan<byte> answer, ReadOnlySpan<byte> random, HmacKey key)
    {
        var status = ServerFlightVerifier.Verify(answer, random, key, out var length, out var fault);
        if (status == FrameStatus.NeedMoreData) return false;
        if (status == FrameStatus.Invalid)
            throw new CheckFailedException(fault == ServerFlightFault.NotTls
                ? "what answers speaks no TLS"
                : $"a client would refuse the flight ({fault}): a site answers, as to everybody without the secret; or a clock is off");
        return length == answer.Length ? true : throw new CheckFailedException($"{answer.Length - length} bytes follow the flight unasked");
    }
}
