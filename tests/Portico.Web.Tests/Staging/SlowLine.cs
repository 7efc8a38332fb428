using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Portico.Web.Tests.Staging;

/// <summary>
/// A port on loopback with a server behind it as far away as a real one: so many bits a second come down, and everything takes a while
/// either way. In front of the narrow place there is room for little, as in a good router; the rest waits at the server.
/// </summary>
internal sealed class SlowLine : LoopbackPort
{
    // Twice as much by the kernel's count, a part of it for its own books.
    private const int Queue = 32 * 1024, Packet = 8 * 1024;

    private readonly EndPoint _server;
    private readonly double _bytesASecond;
    private readonly TimeSpan _delay;

    // All connections share the narrow place; when it is free again, in ticks of the stopwatch.
    private readonly SemaphoreSlim _narrow = new(1);
    private long _freeAt;

    /// <param name="server">Behind it.</param>
    /// <param name="bitsASecond">Down.</param>
    /// <param name="delay">Each way.</param>
    public SlowLine(EndPoint server, double bitsASecond, TimeSpan delay)
    {
        (_server, _bytesASecond, _delay) = (server, bitsASecond / 8, delay);
        Open();
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        _narrow.Dispose();
    }

    protected override async Task CarryAsync(Socket client, uint number)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = Queue };
        using var _ = client;
        client.NoDelay = true;
        try
        {
            await server.ConnectAsync(_server, End);
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
        while (await from.ReceiveAsync(buffer, End) is var count and > 0)
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
        await _narrow.WaitAsync(End);
        try
        {
            var now = Stopwatch.GetTimestamp();
            _freeAt = Math.Max(_freeAt, now - (Stopwatch.Frequency / 50)) + (long)(count / _bytesASecond * Stopwatch.Frequency);
            var left = Stopwatch.GetElapsedTime(now, _freeAt);
            if (left.TotalMilliseconds >= 2)
                await Task.Delay(left - TimeSpan.FromMilliseconds(1), End);
        }
        finally
        {
            _narrow.Release();
        }
    }

    private async Task ArriveAsync(ChannelReader<(byte[] Bytes, long ArrivesAt)> onItsWay, Socket to)
    {
        await foreach (var (bytes, arrivesAt) in onItsWay.ReadAllAsync(End))
        {
            var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), arrivesAt);
            if (left > TimeSpan.Zero) await Task.Delay(left, End);
            await to.SendAsync(bytes, End);
        }
    }
}
