using System.Diagnostics;
using System.Net.WebSockets;
using Portico.IntegrationTests;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;
using Xunit.Abstractions;

namespace Portico.Web.Tests.Carriers;

/// <summary>A message while eight downloads of the same session fill a line of 20 Mbit/s, 30 ms long.</summary>
[Collection(nameof(Measured))]
[Trait(Suite.Trait, Suite.Minutes)]
public sealed class SlowLineTests(ITestOutputHelper output)
{
    private const uint Chat = 1;
    private const int Idle = 60, Busy = 150, Downloads = 8, Rate = 20_000_000;

    private static readonly TimeSpan Distance = TimeSpan.FromMilliseconds(30);

    [Theory]
    [InlineData(Way.Tls)]
    [InlineData(Way.Http2)]
    public async Task By_a_WebSocket_it_takes_at_most_three_times_as_long_as_alone(Way way)
    {
        for (var left = 2; ; left--)
        {
            var figures = await MeasureAsync(way, async client => new SocketWay(await client.OpenSocketAsync()));
            Assert.InRange(figures.Bits / Rate, 0.7, 1.05);
            if (figures.Busy <= 3 * figures.Idle) return;
            // On a machine with other things to do.
            Assert.True(left > 0, $"{figures.Busy:0} ms, alone {figures.Idle:0} ms");
        }
    }

    private async Task<(double Idle, double Busy, double Bits)> MeasureAsync(Way way, Func<PagelessClient, Task<SocketWay>> open)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        await using var line = new SlowLine(host.Server.Address, Rate, Distance);
        using var client = new PagelessClient(line.Address, host.BridgeUrl, way.Version(), isTls: true);
        await client.EnterAsync();
        await using var app = await open(client);
        await app.SendAsync(AppFrame.Open(Chat));

        var idle = await EchoAsync(app, Idle);
        byte[] begin = [.. Enumerable.Range(2, Downloads).SelectMany(
            stream => (byte[])[.. AppFrame.Open((uint)stream), .. AppFrame.Data((uint)stream, "pour"u8)])];
        await app.SendAsync(begin);
        while (app.Received < 4_000_000) await Task.Delay(10);
        var (began, before) = (Stopwatch.GetTimestamp(), app.Received);
        var busy = await EchoAsync(app, Busy);
        var bits = (app.Received - before) * 8 / Stopwatch.GetElapsedTime(began).TotalSeconds;

        output.WriteLine($"{way}: alone p50 {At(idle, 0.5):0} p99 {At(idle, 0.99):0} ms, beside {Downloads} downloads "
            + $"p50 {At(busy, 0.5):0} p99 {At(busy, 0.99):0} ms; {bits / 1e6:0.0} Mbit/s");
        return (At(idle, 0.99), At(busy, 0.99), bits);
    }

    private static async Task<List<double>> EchoAsync(SocketWay app, int count)
    {
        var times = new List<double>();
        for (var i = 0; i < count; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await app.ChatAsync();
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return times;
    }

    private static double At(List<double> times, double share) => times.Order().ElementAt((int)(share * (times.Count - 1)));

    /// <summary>An app that takes all downloads as fast as they come, and says one thing at a time.</summary>
    private sealed class SocketWay : IAsyncDisposable
    {
        // Credit that is worth a message of the app's.
        private const int Worth = 256 * 1024;

        private readonly ClientWebSocket _socket;
        private readonly SemaphoreSlim _sending = new(1);
        private readonly SemaphoreSlim _echoes = new(0);
        private readonly CancellationTokenSource _end = new();
        private readonly Dictionary<uint, int> _owed = [];
        private readonly Task _receiving;
        private long _received;

        public SocketWay(ClientWebSocket socket)
        {
            _socket = socket;
            _receiving = ReceiveAsync();
        }

        /// <summary>Bytes of downloads.</summary>
        public long Received => Interlocked.Read(ref _received);

        public async Task ChatAsync()
        {
            await SendAsync(AppFrame.Data(Chat, new byte[100]));
            if (await Task.WhenAny(_echoes.WaitAsync(Wire.Patience), _receiving) == _receiving)
                await _receiving;
        }

        public async Task SendAsync(byte[] frames)
        {
            await _sending.WaitAsync();
            await _socket.SendAsync(frames, WebSocketMessageType.Binary, endOfMessage: true, _end.Token);
            _sending.Release();
        }

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            _socket.Dispose();
            await _receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        private async Task ReceiveAsync()
        {
            var buffer = new byte[WebBatchReader.MaxLength];
            while (true)
            {
                var (length, isWhole) = (0, false);
                while (!isWhole)
                {
                    var part = await _socket.ReceiveAsync(buffer.AsMemory(length), _end.Token);
                    if (part.MessageType == WebSocketMessageType.Close)
                        throw new PeerSurpriseException("the end");
                    (length, isWhole) = (length + part.Count, part.EndOfMessage);
                }

                foreach (var frame in AppFrame.ReadAll(buffer[..length]).Where(frame => frame.Type == WebFrameType.Data))
                {
                    if (frame.Stream == Chat) _echoes.Release();
                    else Interlocked.Add(ref _received, frame.Payload.Length);
                    _owed[frame.Stream] = _owed.GetValueOrDefault(frame.Stream) + frame.Payload.Length;
                    if (_owed[frame.Stream] < Worth) continue;
                    await SendAsync(AppFrame.Window(frame.Stream, (uint)_owed[frame.Stream]));
                    _owed[frame.Stream] = 0;
                }
            }
        }
    }
}
