using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Portico.IntegrationTests.Commands;
using Portico.IntegrationTests.Hostile;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Users;

/// <summary>What becomes of users' usage when a proxy is killed under load again and again, and when its disk is full.</summary>
[Collection(nameof(Siege))]
[Trait(Suite.Trait, Suite.Minutes)]
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class KeptUsageTests
{
    private const int Sessions = 8;

    // Five proxies at a time, so that fifty kills take two minutes.
    private const int Proxies = 5, KillsOfEach = 10;

    // Kept every ten seconds, and looked for every half.
    private static readonly TimeSpan MostLost = TimeSpan.FromSeconds(10.8);

    private static readonly ProxySecret Secret = ProxySecret.Create(Guid.NewGuid().ToByteArray());

    [Fact]
    public async Task Fifty_kills_under_load_cost_ten_seconds_of_usage_each_and_count_nothing_twice() =>
        await Task.WhenAll(Enumerable.Range(0, Proxies).Select(KillAgainAndAgainAsync));

    private static async Task KillAgainAndAgainAsync(int proxy)
    {
        await using var stage = new UserStage();
        await stage.StartAsync();
        await stage.AddAsync("alice", Secret);
        for (var kill = 0; kill < KillsOfEach; kill++)
        {
            var began = await stage.BytesAsync("alice");
            var load = new Load(stage);
            // From half a second to behind the second time that it is kept.
            var life = TimeSpan.FromSeconds(0.5 + (22.0 * ((kill * Proxies) + proxy) / (Proxies * KillsOfEach)));
            var seen = new List<(TimeSpan At, long Bytes)>();
            for (var clock = Stopwatch.StartNew(); clock.Elapsed < life; await Task.Delay(100))
            {
                var bytes = await stage.BytesAsync("alice");
                seen.Add((clock.Elapsed, bytes));
            }

            var (last, counted) = seen[^1];
            load.MayEnd();
            await stage.KillAsync();
            await load.EndAsync();
            await stage.StartAsync();
            var kept = await stage.BytesAsync("alice");

            var leastKept = Math.Max(began, seen.LastOrDefault(it => it.At <= last - MostLost).Bytes);
            // The kill came a moment behind the last look.
            var mostKept = counted + (long)((counted - began) / last.TotalSeconds) + 1_000_000;
            Assert.InRange(kept, leastKept, mostKept);
            Assert.DoesNotContain("[Users", stage.Said, StringComparison.Ordinal);
        }
    }

    [SmallDiskFact]
    public async Task A_disk_that_is_full_for_a_minute_costs_no_session_and_no_usage()
    {
        using var disk = new SmallDisk(megabytes: 4);
        await using var stage = new UserStage(disk.Path, disk.Within);
        await stage.StartAsync();
        await stage.AddAsync("alice", Secret);
        var load = new Load(stage);
        await Task.Delay(TimeSpan.FromSeconds(12));
        disk.Fill();
        // What is written again and again may find room in a log that has it already; so many users do not.
        var users = new JsonArray([.. Enumerable.Range(0, 3000).Select(Written), new JsonObject { ["name"] = "alice" }]);
        var answer = (await stage.PutAsync(users)).Answer;
        Assert.Equal(("applied", 3000), ((string)answer["outcome"]!, answer["added"]!.AsArray().Count));
        Assert.NotNull(answer["notKept"]);
        await Task.Delay(TimeSpan.FromSeconds(60));
        Assert.InRange(await stage.MetricAsync("portico_storage_errors_total"), 2, 1000);
        disk.Empty();
        await Task.Delay(TimeSpan.FromSeconds(12));
        await load.EndAsync(); // throws what any session met meanwhile
        var counted = await stage.BytesAsync("alice");
        await Task.Delay(TimeSpan.FromSeconds(12));
        await stage.KillAsync();
        await stage.StartAsync();
        Assert.Equal(counted, await stage.BytesAsync("alice"));
        Assert.Equal(3002, (await stage.UsageAsync())["users"]!.AsArray().Count);
    }

    private static JsonNode Written(int user) => new JsonObject
    {
        ["name"] = $"user-{user}",
        ["domain"] = $"u{user}.example.com",
        ["note"] = new string('x', 500),
    };

    /// <summary>Some sessions of a user, busy until they are told to stop or, from when they may, the proxy is gone.</summary>
    private sealed class Load
    {
        private readonly Task _running;
        private volatile bool _mayEnd, _isOver;

        public Load(UserStage stage) => _running = Task.WhenAll(Enumerable.Range(0, Sessions).Select(_ => RunAsync(stage)));

        public void MayEnd() => _mayEnd = true;

        public Task EndAsync()
        {
            _isOver = true;
            return _running;
        }

        private async Task RunAsync(UserStage stage)
        {
            try
            {
                await using var client = await FakeClient.GreetSoonAsync(stage.Endpoint, Secret);
                while (!_isOver)
                {
                    await client.EchoAsync(20_000);
                    await Task.Delay(10);
                }
            }
            catch (Exception problem) when (_mayEnd && problem is PeerSurpriseException or SocketException)
            {
                // killed
            }
        }
    }
}
