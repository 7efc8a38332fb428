using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Portico.Web.Tests.Staging;

/// <summary>
/// A port on loopback with a server behind it as far away as a real one: so many bits a second come down, and everything takes a while
/// either way. In front of the narrow place there is room for little, as in a good router; the rest waits at the server.
/// </summary>
internal sealed class SlowLine : IAsyncDisposable
{
    // Twice as much by the kernel's count, a part of it for its own books.
    private const int Queue = 32 * 1024, Packet = 8 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly EndPoint _server;
    private readonly double _bytesASecond;
    private readonly TimeSpan _delay;
    private readonly Task _running;

    // All connections share the narrow place; when it is free again, in ticks of the stopwatch.
    private readonly SemaphoreSlim _narrow = new(1);
    private long _freeAt;

    /// <param name="server">Behind it.</param>
    /// <param name="bitsASecond">Down.</param>
    /// <param name="delay">Each way.</param>
    public SlowLine(EndPoint server, double bitsASecond, TimeSpan delay)
    {
        (_server, _bytesASecond, _delay) = (server, bitsASecond / 8, delay);
        _listener.Start();
        Address = (IPEndPoint)_listener.LocalEndpoint;
        _running = AcceptAsync();
    }

    public IPEndPoint Address { get; }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _running;
        _end.Dispose();
        _narrow.Dispose();
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(CarryAsync(await _listener.AcceptSocketAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task CarryAsync(Socket client)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = Queue };
        using var _ = client;
        client.NoDelay = true;
        try
        {
            await server.ConnectAsync(_server, _end.Token);
            await Task.WhenAll(CopyAsync(client, server, isDown: false), CopyAsync(server, client, isDown: true));
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            client.Close(0);
            server.Close(0);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, bool isDown)
    {
        var onItsWay = Channel.CreateUnbounded<(byte[] Bytes, long ArrivesAt)>();
        var arriving = ArriveAsync(onItsWay.Reader, to);
        var buffer = new byte[Packet];
        while (await from.ReceiveAsync(buffer, _end.Token) is var count and > 0)
        {
            if (isDown) await PassAsync(count);
            var arrivesAt = Stopwatch.GetTimestamp() + (long)(_delay.TotalSeconds * Stopwatch.Frequency);
            onItsWay.Writer.TryWrite((buffer[..count], arrivesAt));
        }

        onItsWay.Writer.Complete();
        await arriving;
        to.Shutdown(SocketShutdown.Send);
    }

    // Whole milliseconds are slept, as a timer has no smaller ones; what is slept too long, up to a bound, is made up for by the next.
    private async Task PassAsync(int count)
    {
        await _narrow.WaitAsync(_end.Token);
        try
        {
            var now = Stopwatch.GetTimestamp();
            _freeAt = Math.Max(_freeAt, now - (Stopwatch.Frequency / 50)) + (long)(count / _bytesASecond * Stopwatch.Frequency);
            var left = Stopwatch.GetElapsedTime(now, _freeAt);
            if (left.TotalMilliseconds >= 2)
                await Task.Delay(left - TimeSpan.FromMilliseconds(1), _end.Token);
        }
        finally
        {
            _narrow.Release();
        }
    }

    private async Task ArriveAsync(ChannelReader<(byte[] Bytes, long ArrivesAt)> onItsWay, Socket to)
    {
        await foreach (var (bytes, arrivesAt) in onItsWay.ReadAllAsync(_end.Token))
        {
            var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), arrivesAt);
            if (left > TimeSpan.Zero) await Task.Delay(left, _end.Token);
            await to.SendAsync(bytes, _end.Token);
        }
    }
}
