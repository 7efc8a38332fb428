using System.Net;
using System.Net.Sockets;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>
/// The simplest proxy that hides nothing: passes every connection on to a cover.
/// With a fault it differs from one, so that a battery which does not notice shows itself.
/// </summary>
internal sealed class StandInRelay : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly IPEndPoint _cover;
    private readonly RelayFault _fault;
    private readonly List<Task> _connections = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;

    public StandInRelay(IPEndPoint cover, RelayFault fault = RelayFault.None)
    {
        (_cover, _fault) = (cover, fault);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        _accepting = AcceptAsync();
    }

    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndPoint!;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _accepting;
        await Task.WhenAll(_connections);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _connections.Add(RelayAsync(await _listener.AcceptAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task RelayAsync(Socket client)
    {
        using var cover = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            client.NoDelay = true;
            try
            {
                await cover.ConnectAsync(_cover, _stop.Token);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                await Task.WhenAll(CopyAsync(client, cover, fromClient: true, both), CopyAsync(cover, client, fromClient: false, both));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // the other side of a connection that was reset is reset too
                if (!_stop.IsCancellationRequested && _fault != RelayFault.ClosesOnHalfClose)
                    client.LingerState = new LingerOption(true, 0);
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool fromClient, CancellationTokenSource both)
    {
        try
        {
            var buffer = new byte[65536];
            var changed = _fault != RelayFault.ChangesAByte || fromClient;
            while (await from.ReceiveAsync(buffer, both.Token) is var count and > 0)
            {
                if (fromClient && _fault == RelayFault.AnswersAnAlert && buffer[0] != 0x16)
                {
                    await from.SendAsync(new byte[] { 0x15, 3, 3, 0, 2, 2, 10 }, both.Token);
                    break;
                }
                if (!changed && count > 5)
                    (buffer[4], changed) = ((byte)(buffer[4] ^ 1), true);
                await to.SendAsync(buffer.AsMemory(0, count), both.Token);
            }
            if (fromClient && _fault == RelayFault.ClosesOnHalfClose)
                await both.CancelAsync();
            else if (fromClient || _fault != RelayFault.KeepsOpen)
                to.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            await both.CancelAsync();
            throw;
        }
    }
}

/// <summary>What is wrong with a <see cref="StandInRelay"/>.</summary>
internal enum RelayFault
{
    None,

    /// <summary>The end of one direction ends both: what the cover still had to say is lost.</summary>
    ClosesOnHalfClose,

    /// <summary>Answers what does not begin like a hello by itself.</summary>
    AnswersAnAlert,

    /// <summary>Does not pass on that the cover has finished.</summary>
    KeepsOpen,

    /// <summary>One bit of the cover's first answer is another.</summary>
    ChangesAByte,
}
