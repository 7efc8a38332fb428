using System.Net;
using System.Security.Cryptography;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Framing;
using Portico.Protocol.Mtproto;

namespace Portico.SelfTest;

/// <summary>A client's connection to a data centre, by some way in.</summary>
internal delegate Task<PacketConnection> Connect(short dcId, CancellationToken cancel);

/// <summary>What a client of ours must get, by every way in.</summary>
internal static class ClientChecks
{
    // Shorter ones cannot be encrypted messages: key id 8, message key 16.
    private const int ShortestEcho = 24;

    private const int LongestEcho = FrameCodec.MaxPacketFromClient - FrameCodec.Alignment - FrameCodec.MaxPaddingFromClient;

    // What our padding may leave at the end of an echo: receivers strip only its odd bytes (spec/01 section 3.3).
    private const int MaxLeftover = FrameCodec.MaxPaddingFromClient & ~(FrameCodec.Alignment - 1);

    // One below, one around and one far above a TLS record and a read of the proxy.
    private static readonly (int From, int To)[] EchoLengths = [(ShortestEcho, 1024), (12 * 1024, 96 * 1024), (768 * 1024, LongestEcho)];

    /// <summary>The checks of all clients of one proxy.</summary>
    /// <param name="place">What names begin with: <c>engine/backend</c>.</param>
    /// <param name="proxy">Where it listens.</param>
    /// <param name="client">Knows its secret and the ad tag that it owes to it.</param>
    public static IEnumerable<Check> Of(string place, IPEndPoint proxy, SelfTestClient client)
    {
        foreach (var manner in ClientManner.All)
        {
            var name = $"{place}/{manner.Name}";
            yield return new Check($"{name}/res-pq", cancel => AskAsync(client, manner, Connect(manner), cancel));
            yield return new Check($"{name}/echo", cancel => EchoAsync(Connect(manner), cancel));
            yield return Asking("in-pieces", manner with { InPieces = true });
            if (!manner.IsTls) continue;
            yield return Asking("old-hello", manner with { Shape = ClientHelloShape.Classic517 });
            yield return Asking("hello-in-records", manner with { HelloRecords = ClientHelloReader.MaxRecords });
        }

        Check Asking(string what, ClientManner manner) =>
            new($"{place}/{manner.Name}/{what}", cancel => AskAsync(client, manner, Connect(manner), cancel));

        Connect Connect(ClientManner manner) => (dcId, cancel) => client.ConnectAsync(proxy, manner, dcId, cancel);
    }

    /// <summary>Every question gets its answer, and Telegram was told the truth about the client.</summary>
    public static async Task AskAsync(SelfTestClient client, ClientManner manner, Connect connect, CancellationToken cancel)
    {
        var dcId = StandInTelegram.DcIds[RandomNumberGenerator.GetInt32(StandInTelegram.DcIds.Length)];
        var expected = new SeenByTelegram(dcId, manner.Transport, client.AdTag);
        using var connection = await connect(dcId, cancel);
        foreach (var isMulti in (bool[])[false, true])
        {
            var nonce = RandomNumberGenerator.GetBytes(PqMessage.NonceLength);
            await connection.SendAsync(PqCheck.Request(isMulti, nonce), cancel);
            var answer = await AnswerAsync(connection, cancel);
            if (PqCheck.FaultOf(answer, nonce, expected) is { } fault)
                throw new CheckFailedException(fault);
        }
    }

    /// <summary>Packets of every size come back as they were sent.</summary>
    public static async Task EchoAsync(Connect connect, CancellationToken cancel)
    {
        using var connection = await connect(StandInTelegram.DcIds[0], cancel);
        foreach (var (from, to) in EchoLengths)
        {
            var packet = RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(from, to + 1) & ~(FrameCodec.Alignment - 1));
            packet[0] |= 1; // a key id of zero would make it look unencrypted
            await connection.SendAsync(packet, cancel);
            var echo = await AnswerAsync(connection, cancel);
            if (!echo.AsSpan().StartsWith(packet))
                throw new CheckFailedException($"{packet.Length} bytes came back changed");
            if (echo.Length > packet.Length + MaxLeftover)
                throw new CheckFailedException($"{packet.Length} bytes came back as {echo.Length}");
        }
    }

    private static async Task<byte[]> AnswerAsync(PacketConnection connection, CancellationToken cancel) =>
        await connection.ReceiveAsync(cancel) ?? throw new CheckFailedException("the proxy closed the connection");
}
