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
internal sealed class SelfTestClient(IPEndPoint proxy, ProxySecret secret, AdTag? adTag = null)
{
    // Any name will do: the proxy is asked whether it knows the secret, not where it is.
    private static readonly byte[] Domain = Encoding.ASCII.GetBytes("selftest.example");

    /// <summary>Whose channel Telegram must be told to show it; the client itself knows nothing of it.</summary>
    public AdTag? AdTag => adTag;

    /// <summary>Connects and, with fake TLS, shakes hands. The obfuscated header goes out with the first packet.</summary>
    /// <exception cref="CheckFailedException">The proxy's flight is not what it must be.</exception>
    /// <exception cref="SocketException">The connection was refused or reset.</exception>
    public async Task<PacketConnection> ConnectAsync(ClientManner manner, short dcId, CancellationToken cancel)
    {
        var socket = await DialAsync(proxy, cancel);
        try
        {
            if (manner.IsTls) await GreetAsync(socket, manner, cancel);
            return Wrap(socket, manner, dcId);
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
            hello, shape, Domain, key, (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        return hello[..length];
    }

    /// <summary>An obfuscated header made with our secret.</summary>
    public void WriteHeader(Span<byte> header, Transport transport, short dcId, out ObfuscatedStreams streams)
    {
        do RandomNumberGenerator.Fill(header);
        while (ObfuscatedHeader.HasForbiddenStart(header));
        ObfuscatedHeader.Write(header, secret, transport, dcId, out streams);
    }

    private PacketConnection Wrap(Socket socket, ClientManner manner, short dcId)
    {
        Span<byte> header = stackalloc byte[ObfuscatedHeader.Length];
        WriteHeader(header, manner.Transport, dcId, out var streams);
        return new PacketConnection(
            socket, PacketEnd.Client, manner.Transport, streams.ServerToClient, streams.ClientToServer, manner.IsTls)
        {
            Header = header,
            InPieces = manner.InPieces,
        };
    }

    private async Task GreetAsync(Socket socket, ClientManner manner, CancellationToken cancel)
    {
        var hello = Hello(manner.Shape);
        var wire = manner.HelloRecords == 1 ? hello : HelloRecords.Split(hello, manner.HelloRecords);
        if (manner.InPieces) await Pieces.SendAsync(socket, wire, cancel);
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
            throw new CheckFailedException($"a client would refuse the flight: {fault}");
        return length == answer.Length ? true : throw new CheckFailedException($"{answer.Length - length} bytes follow the flight unasked");
    }
}
