using System.Net.Sockets;
using Portico.Protocol.Obfuscation;

namespace Portico.SelfTest;

/// <summary>
/// A data centre as far as a proxy in direct mode can tell:
/// takes obfuscated connections without secret, in every transport.
/// </summary>
internal sealed class StandInDc(StandInFault fault)
{
    /// <summary>Serves one connection.</summary>
    public async Task ServeAsync(Socket socket, CancellationToken cancel)
    {
        var header = new byte[ObfuscatedHeader.Length];
        for (var length = 0; length < header.Length;)
        {
            var count = await socket.ReceiveAsync(header.AsMemory(length), cancel);
            if (count == 0) return;
            length += count;
        }

        if (fault == StandInFault.HangUp) return;
        if (!ObfuscatedHeader.TryRead(header, secret: null, out var streams, out var transport, out var dcId))
            return;
        using var connection = new PacketConnection(
            new SocketWay(socket), PacketEnd.Dc, transport, streams.ClientToServer, streams.ServerToClient, isTls: false);
        while (await connection.ReceiveAsync(cancel) is { } packet)
        {
            if (StandInAnswers.To(packet, new SeenByTelegram(dcId, transport), fault) is { } answer)
                await connection.SendAsync(answer, cancel);
        }
    }
}
