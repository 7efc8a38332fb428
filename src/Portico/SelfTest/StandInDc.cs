using System.Net;
using System.Net.Sockets;
using Portico.Protocol.Obfuscation;

namespace Portico.SelfTest;

/// <summary>
/// A data centre as far as a proxy in direct mode can tell: takes obfuscated connections without secret in every transport, answers req_pq
/// and sends back whatever looks encrypted.
/// </summary>
internal sealed class StandInDc : IAsyncDisposable
{
    private readonly StandInFault _fault;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _served;

    private StandInDc(StandInFault fault)
    {
        _fault = fault;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        Endpoint = (IPEndPoint)_listener.LocalEndPoint!;
        _served = ServeAsync();
    }

    /// <summary>Where it listens, on loopback.</summary>
    public IPEndPoint Endpoint { get; }

    /// <summary>Starts listening.</summary>
    /// <exception cref="SocketException">This machine has no loopback to listen on.</exception>
    public static StandInDc Start(StandInFault fault) => new(fault);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _served;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(ServeAsync(await _listener.AcceptAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    // Whatever ends a connection, its client sees the end and judges it.
    private async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                await AnswerAsync(socket);
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException or CheckFailedException)
            {
            }
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        socket.NoDelay = true;
        var header = new byte[ObfuscatedHeader.Length];
        for (var length = 0; length < header.Length;)
        {
            var count = await socket.ReceiveAsync(header.AsMemory(length), _stop.Token);
            if (count == 0) return;
            length += count;
        }

        if (_fault == StandInFault.HangUp) return;
        if (!ObfuscatedHeader.TryRead(header, secret: null, out var streams, out var transport, out var dcId)) return;
        using var connection = new PacketConnection(socket, PacketEnd.Dc, transport, streams.ClientToServer, streams.ServerToClient, isTls: false);
        while (await connection.ReceiveAsync(_stop.Token) is { } packet)
        {
            if (_fault == StandInFault.Silent) continue;
            if (PqMessages.TryReadRequest(packet, out var nonce)) packet = PqMessages.Answer(_fault == StandInFault.WrongNonce ? new byte[PqMessages.NonceLength] : nonce, dcId, transport);
            else if (PqMessages.IsUnencrypted(packet)) continue;
            else if (_fault == StandInFault.CorruptEcho) packet[packet.Length / 2] ^= 1;
            await connection.SendAsync(packet, _stop.Token);
        }
    }
}
