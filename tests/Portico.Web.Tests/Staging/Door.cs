using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Portico.Web.Tests.Staging;

/// <summary>A port on loopback whose connections are carried to a server, which may be another one later.</summary>
internal sealed class Door : LoopbackPort
{
    private readonly ConcurrentDictionary<Socket, Socket> _open = [];
    private int _cuts;

    public Door() => Open();

    /// <summary>Where new connections lead.</summary>
    public EndPoint? Server { get; set; }

    /// <summary>
    /// Looks at the first bytes of a connection: so many bytes may come from the server before both sides are reset; null = all.
    /// </summary>
    public Func<ReadOnlyMemory<byte>, int?> Allowance { get; set; } = _ => null;

    /// <summary>The same for bytes to the server.</summary>
    public Func<int?> AllowanceUp { get; set; } = () => null;

    /// <summary>Whoever comes is reset.</summary>
    public bool IsShut { get; set; }

    /// <summary>Connections that were cut so far.</summary>
    public int Cuts => Volatile.Read(ref _cuts);

    /// <summary>Resets all that are open.</summary>
    public void CutAll()
    {
        foreach (var (client, server) in _open) Cut(client, server);
    }

    protected override async Task CarryAsync(Socket client, uint number)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var _ = client;
        _open.TryAdd(client, server);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            if (IsShut) Cut(client, server);
            await server.ConnectAsync(Server!, End);
            var first = new byte[64 * 1024];
            var count = await client.ReceiveAsync(first, End);
            var (allowance, allowanceUp) = (Allowance(first.AsMemory(0, count)), AllowanceUp());
            var now = Math.Min(count, allowanceUp ?? count);
            await server.SendAsync(first.AsMemory(0, now), End);
            if (now < count) Cut(client, server);
            // A reset of one side is one of the other, whatever that is waiting for.
            await await Task.WhenAny(
                Task.WhenAll(CopyAsync(client, server, allowanceUp - now, gone), CopyAsync(server, client, allowance, gone)), gone.Task);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Whoever is left hears of it by a reset.
            client.Close(0);
            server.Close(0);
        }
        finally
        {
            _open.TryRemove(client, out var _);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, int? allowance, TaskCompletionSource gone)
    {
        try
        {
            await CopyAsync(from, to, allowance);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            gone.TrySetException(error);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, int? allowance)
    {
        var buffer = new byte[64 * 1024];
        while (true)
        {
            if (allowance == 0)
            {
                Cut(from, to);
                return;
            }

            var count = await from.ReceiveAsync(buffer.AsMemory(0, Math.Min(buffer.Length, allowance ?? int.MaxValue)), End);
            if (count == 0) break;
            await to.SendAsync(buffer.AsMemory(0, count), End);
            allowance -= count;
        }

        to.Shutdown(SocketShutdown.Send);
    }

    private void Cut(Socket one, Socket other)
    {
        Interlocked.Increment(ref _cuts);
        one.Close(0);
        other.Close(0);
    }
}
