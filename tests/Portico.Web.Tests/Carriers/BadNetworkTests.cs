using System.Net;
using System.Net.Sockets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Telegram;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;
using Xunit.Abstractions;

namespace Portico.Web.Tests.Carriers;

/// <summary>
/// Transfers over a network on which everything goes wrong at once: connections are cut after any byte in either direction, the server in
/// front restarts, answers are lost, requests come twice. An app that asks again gets every byte once, in its place.
/// </summary>
public sealed class BadNetworkTests(ITestOutputHelper output)
{
    public static TheoryData<WebCarrier, Way, int> All
    {
        get
        {
            var data = new TheoryData<WebCarrier, Way, int>();
            var seeds = Environment.GetEnvironmentVariable("PORTICO_SLOW") is null ? 1 : 100;
            foreach (var carrier in new[] { WebCarrier.Https, WebCarrier.HttpsLanes })
            {
                foreach (var way in Enum.GetValues<Way>())
                {
                    for (var seed = 1; seed <= seeds; seed++) data.Add(carrier, way, seed);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task Every_byte_of_every_stream_arrives_once_and_in_its_place(WebCarrier carrier, Way way, int seed)
    {
        const int Streams = 4, Bytes = 250_000;
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        await using var door = new Door { Server = host.Server.Address };
        var random = new Random(seed);
        using var client = new PagelessClient(door.Address, host.BridgeUrl, way.Version(), way.IsTls());
        await client.OpenPageAsync();
        door.AllowanceUp = () => Chance(4) ? Below(30_000) : null;
        door.Allowance = _ => Chance(3) ? Below(30_000) : null;
        await PatientLane.CreateAsync(client);
        var streams = Enumerable.Range(1, Streams).Select(id => new EchoedStream((uint)id, Bytes)).ToArray();
        var lanes = carrier == WebCarrier.HttpsLanes
            ? streams.Select(stream => new PatientLane(client, stream.Id, [stream], Chance, Disturb)).ToArray()
            : [new PatientLane(client, null, streams, Chance, Disturb)];

        var restarting = new CancellationTokenSource();
        var restarts = RestartAsync(door, restarting.Token);
        await Task.WhenAll(lanes.Select(lane => lane.RunAsync())).WaitAsync(4 * Wire.Patience);
        await restarting.CancelAsync();

        output.WriteLine($"{door.Cuts} connections cut, {await restarts} restarts, "
            + $"{lanes.Sum(lane => lane.Repeated)} requests repeated, {lanes.Sum(lane => lane.Lost)} lost");
        Assert.True(door.Cuts > 3, $"{door.Cuts} cuts");
        Assert.True(lanes.Sum(lane => lane.Repeated) > 3);
        Assert.Equal(1, host.Sessions.Count);

        // A connection without a bound of its own would live to the end.
        void Disturb()
        {
            if (Chance(8)) door.CutAll();
        }

        bool Chance(int oneOf)
        {
            lock (random) return random.Next(oneOf) == 0;
        }

        int Below(int most)
        {
            lock (random) return random.Next(most);
        }
    }

    private static async Task<int> RestartAsync(Door door, CancellationToken end)
    {
        var restarts = 0;
        try
        {
            while (true)
            {
                await Task.Delay(100, end);
                door.IsShut = true;
                door.CutAll();
                restarts++;
                await Task.Delay(10, end);
                door.IsShut = false;
            }
        }
        catch (OperationCanceledException)
        {
            door.IsShut = false;
            return restarts;
        }
    }

    /// <summary>What is sent on a stream, and how much of it has come back.</summary>
    private sealed class EchoedStream(uint id, int length)
    {
        private readonly byte[] _bytes = Pattern(id, length);
        private int _sent;
        private int _received;
        private bool _isOpen;

        public uint Id { get; } = id;

        public bool IsSent => _sent == _bytes.Length;

        public bool IsDone => _received == _bytes.Length;

        public byte[] NextFrames(int most)
        {
            var part = _bytes.AsSpan(_sent, Math.Min(most, _bytes.Length - _sent));
            _sent += part.Length;
            byte[] frames = [.. _isOpen ? [] : AppFrame.Open(Id), .. AppFrame.Data(Id, part)];
            _isOpen = true;
            return frames;
        }

        public void Take(byte[] payload)
        {
            if (!_bytes.AsSpan(_received).StartsWith(payload))
                throw new PeerSurpriseException($"stream {Id}: {payload.Length} bytes at {_received} that are not the next ones");
            _received += payload.Length;
        }

        private static byte[] Pattern(uint id, int length)
        {
            var bytes = new byte[length];
            TestPattern.Fill(bytes, id);
            return bytes;
        }
    }

    /// <summary>The requests of an app for a session or a lane of it: sent until they are answered, and some again after that.</summary>
    private sealed class PatientLane(
        PagelessClient client, uint? lane, EchoedStream[] streams, Func<int, bool> chance, Action disturb)
    {
        private const int MostAFrame = 8000;

        private int _lost;
        private int _repeated;

        /// <summary>Requests without an answer.</summary>
        public int Lost => _lost;

        /// <summary>Requests that were answered and came once more.</summary>
        public int Repeated => _repeated;

        public static async Task CreateAsync(PagelessClient client)
        {
            while (true)
            {
                try
                {
                    await client.CreateAsync();
                    return;
                }
                catch (Exception error) when (IsOfTheNetwork(error))
                {
                }
            }
        }

        public Task RunAsync() => Task.WhenAll(SendAllAsync(), ReceiveAllAsync());

        private async Task SendAllAsync()
        {
            var number = 0UL;
            while (streams.FirstOrDefault(stream => !stream.IsSent) is not null)
            {
                byte[] frames = [.. streams.Where(stream => !stream.IsSent).SelectMany(stream => stream.NextFrames(MostAFrame))];
                number++;
                using var answer = await InsistAsync(() => client.PostAsync(number, frames, lane));
                PagelessClient.Expect(answer, HttpStatusCode.NoContent);
                if (PagelessClient.Header(answer, "X-Up-Ack") != $"{number}")
                    throw new PeerSurpriseException("another acknowledgement");
            }
        }

        private async Task ReceiveAllAsync()
        {
            var cursor = 0UL;
            byte[]? before = null;
            while (!Array.TrueForAll(streams, stream => stream.IsDone))
            {
                var now = cursor;
                using var answer = await InsistAsync(async () =>
                {
                    var come = await client.AskAsync(now, lane);
                    if (come.StatusCode != HttpStatusCode.OK) return come;
                    // Of an answer that is asked for again each byte must be the same.
                    var again = await come.Content.ReadAsByteArrayAsync();
                    if (before is not null && !before.AsSpan().SequenceEqual(again))
                        throw new PeerSurpriseException("another answer");
                    before = again;
                    return come;
                });
                if (answer.StatusCode == HttpStatusCode.NoContent) continue;
                PagelessClient.Expect(answer, HttpStatusCode.OK);
                if (PagelessClient.Header(answer, "X-Down-Cursor") != $"{++cursor}")
                    throw new PeerSurpriseException("another cursor");
                foreach (var frame in AppFrame.ReadAll(before!))
                {
                    if (frame.Type == WebFrameType.Data)
                        streams.Single(stream => stream.Id == frame.Stream).Take(frame.Payload);
                    else if (frame.Type != WebFrameType.Window)
                        throw new PeerSurpriseException($"{frame.Type} of {frame.Stream}");
                }

                before = null;
            }
        }

        private async Task<HttpResponseMessage> InsistAsync(Func<Task<HttpResponseMessage>> send)
        {
            while (true)
            {
                try
                {
                    disturb();
                    var answer = await send();
                    if (answer.StatusCode != HttpStatusCode.ServiceUnavailable && !chance(4))
                        return answer;
                    // As if it had been lost on its last metre.
                    answer.Dispose();
                    Interlocked.Increment(ref _repeated);
                }
                catch (Exception error) when (IsOfTheNetwork(error))
                {
                    Interlocked.Increment(ref _lost);
                }
            }
        }

        private static bool IsOfTheNetwork(Exception error) =>
            error is HttpRequestException or IOException or SocketException or OperationCanceledException;
    }
}
