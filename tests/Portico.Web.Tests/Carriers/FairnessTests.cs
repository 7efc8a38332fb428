using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Portico.IntegrationTests;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;
using Xunit.Abstractions;

namespace Portico.Web.Tests.Carriers;

/// <summary>Fifty sessions of twenty streams, all of which are busy but one, which its app does not read.</summary>
[Collection(nameof(Measured))]
[Trait(Suite.Trait, Suite.Minutes)]
public sealed class FairnessTests(ITestOutputHelper output)
{
    private const int Users = 5, SessionsOfOne = 10, Streams = 20, Pairs = 9;

    private static readonly TimeSpan Round = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(WebCarrier.WebSocket)]
    [InlineData(WebCarrier.Https)]
    [InlineData(WebCarrier.WebSocketLanes)]
    [InlineData(WebCarrier.HttpsLanes)]
    public async Task A_stream_that_is_not_read_costs_the_others_nothing(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Users = Users });
        var sessions = new List<LoadedSession>();
        for (var i = 0; i < Users * SessionsOfOne; i++)
            sessions.Add(await LoadedSession.StartAsync(host, i % Users, carrier));
        var neighbours = sessions[0];
        await RoundAsync(sessions, isUnread: false);
        // On a machine with other things to do the figures of a second vary more than what is looked for.
        for (var left = 2; !await IsFairAsync() && left >= 0; left--) Assert.True(left > 0, "the others have less than 95 %");
        foreach (var session in sessions) await session.DisposeAsync();

        async Task<bool> IsFairAsync()
        {
            var (ofAll, ofNeighbours) = (new List<double>(), new List<double>());
            for (var pair = 0; pair < Pairs; pair++)
            {
                // The first of a pair is now this one and now that one.
                var isFirst = pair % 2 == 0;
                var first = await RoundAsync(sessions, isUnread: isFirst);
                var second = await RoundAsync(sessions, isUnread: !isFirst);
                var (with, without) = isFirst ? (first, second) : (second, first);
                ofAll.Add(with.All / without.All);
                ofNeighbours.Add(with.Neighbours / without.Neighbours);
            }

            var (all, near) = (Median(ofAll), Median(ofNeighbours));
            output.WriteLine($"{carrier}: beside the unread stream all have {all:P1} of what they have without, its neighbours {near:P1}");
            // Twenty streams of a thousand vary too much in a second to be judged: of them it is only told.
            return all >= 0.95;
        }

        async Task<(double All, double Neighbours)> RoundAsync(List<LoadedSession> loaded, bool isUnread)
        {
            if (isUnread) await neighbours.OpenUnreadAsync();
            var (began, before, nearBefore) = (Stopwatch.GetTimestamp(), loaded.Sum(session => session.Bytes), neighbours.Bytes);
            await Task.Delay(Round);
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            var (all, near) = (loaded.Sum(session => session.Bytes) - before, neighbours.Bytes - nearBefore);
            if (isUnread) await neighbours.CloseUnreadAsync();
            return (all / seconds, near / seconds);
        }
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    /// <summary>An app each of whose streams sends a piece as soon as the one before has come back.</summary>
    private sealed class LoadedSession : IAsyncDisposable
    {
        private const int Piece = 8 * 1024;

        private static readonly byte[] Content = RandomNumberGenerator.GetBytes(Piece);

        private readonly PagelessClient _client;
        private readonly WebCarrier _carrier;
        private readonly List<(PagelessCarrier Carrier, Task Running)> _running = [];
        private readonly ConcurrentQueue<byte[]> _more = new();
        private PagelessCarrier? _ofUnread;
        private uint _unread = Streams;
        private volatile bool _isOver;
        private long _bytes;
        private long _unreadBytes;

        private LoadedSession(PagelessClient client, WebCarrier carrier) => (_client, _carrier) = (client, carrier);

        /// <summary>What has come back.</summary>
        public long Bytes => Interlocked.Read(ref _bytes);

        private bool HasLanes => _carrier is WebCarrier.HttpsLanes or WebCarrier.WebSocketLanes;

        public static async Task<LoadedSession> StartAsync(WebHostUnderTest host, int user, WebCarrier carrier)
        {
            var client = new PagelessClient(host.Server.Address, host.BridgeUrlOf(user), HttpVersion.Version11, isTls: false);
            await client.EnterAsync();
            var session = new LoadedSession(client, carrier);
            uint[] streams = [.. Enumerable.Range(1, Streams).Select(id => (uint)id)];
            foreach (var together in streams.Chunk(session.HasLanes ? 1 : Streams))
            {
                var own = PagelessCarrier.Of(carrier, client);
                session._running.Add((own, session.RunAsync(own, together)));
            }

            return session;
        }

        /// <summary>
        /// One more stream, to which all is sent that may be. In a lane of its own nobody asks for it; beside others it comes with them,
        /// and is given no credit.
        /// </summary>
        public async Task OpenUnreadAsync()
        {
            Interlocked.Exchange(ref _unreadBytes, 0);
            byte[] begin = [.. AppFrame.Open(++_unread), .. AppFrame.Data(_unread, "pour"u8)];
            if (HasLanes)
            {
                _ofUnread = PagelessCarrier.Of(_carrier, _client);
                await _ofUnread.SendAsync(_unread, begin);
            }
            else
            {
                _more.Enqueue(begin);
                using var clock = new CancellationTokenSource(Wire.Patience);
                while (Interlocked.Read(ref _unreadBytes) < RelayStreams.InitialWindow) await Task.Delay(5, clock.Token);
            }

            // Until what lies between is full, of which nothing tells, and what was poured is out of everybody's way.
            await Task.Delay(200);
        }

        public async Task CloseUnreadAsync()
        {
            if (_carrier == WebCarrier.HttpsLanes)
                await _ofUnread!.SendAsync(_unread, AppFrame.Close(_unread));
            if (HasLanes) _ofUnread!.Dispose();
            else _more.Enqueue(AppFrame.Close(_unread));
        }

        public async ValueTask DisposeAsync()
        {
            _isOver = true;
            foreach (var (carrier, running) in _running)
            {
                await running;
                carrier.Dispose();
            }

            _client.Dispose();
        }

        private async Task RunAsync(PagelessCarrier own, uint[] streams)
        {
            var came = streams.ToDictionary(id => id, _ => 0);
            await own.SendAsync(streams[0], [.. streams.Select(id => (byte[])[.. AppFrame.Open(id), .. AppFrame.Data(id, Content)])]);
            while (!_isOver)
            {
                var frames = await own.ReceiveAsync(streams[0]) ?? throw new PeerSurpriseException("the end");
                var answer = new List<byte[]>();
                foreach (var frame in frames.Where(frame => frame.Type == WebFrameType.Data))
                {
                    if (!came.TryGetValue(frame.Stream, out var before))
                    {
                        Interlocked.Add(ref _unreadBytes, frame.Payload.Length);
                        continue;
                    }

                    Interlocked.Add(ref _bytes, frame.Payload.Length);
                    came[frame.Stream] = (before + frame.Payload.Length) % Piece;
                    if (before + frame.Payload.Length < Piece) continue;
                    answer.Add(AppFrame.Window(frame.Stream, Piece));
                    answer.Add(AppFrame.Data(frame.Stream, Content));
                }

                while (!HasLanes && _more.TryDequeue(out var more)) answer.Add(more);
                if (answer.Count > 0) await own.SendAsync(streams[0], [.. answer]);
            }
        }
    }
}
