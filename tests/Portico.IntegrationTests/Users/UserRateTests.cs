using System.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Users;
using Portico.IntegrationTests.Hostile;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Users;

/// <summary>What a rate is in bytes per second. Alone, because clients that come late to what they may have leave it.</summary>
[Collection(nameof(Siege))]
[Trait(Suite.Trait, Suite.Long)]
public sealed class UserRateTests
{
    public static TheoryData<EngineKind, bool> Ways => Engines.With(Engines.Measured, false, true);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Eight_sessions_of_a_user_share_its_rate_and_another_user_has_its_own_way(EngineKind engine, bool isMiddle)
    {
        const int Seconds = 6;
        await using var test = UserLimitsTests.Start(engine, isMiddle, new UserTerms { DownRate = 1_000_000 });
        var clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => test.GreetAsync()));
        var isOver = false;
        var reading = clients.Select(ReadAsync).ToList();
        await Task.Delay(1000); // what may be caught up on is over
        var before = Sent(test);
        var clock = Stopwatch.StartNew();
        await using var other = await test.GreetAsync(new ClientProfile { Secret = UserLimitsTests.Other });
        for (var i = 0; i < 20; i++) await other.DownloadAsync(100, 2000);
        var fast = clock.Elapsed;
        await Task.Delay(TimeSpan.FromSeconds(Seconds) - (fast < TimeSpan.FromSeconds(Seconds) ? fast : TimeSpan.Zero));
        var rate = (Sent(test) - before) / clock.Elapsed.TotalSeconds;
        Volatile.Write(ref isOver, true);
        var shares = await Task.WhenAll(reading);
        foreach (var client in clients) await client.DisposeAsync();

        Assert.InRange(rate, 900_000, 1_100_000);
        // An eighth each, more or less; one that is alone on its loop has half.
        Assert.All(shares, share => Assert.InRange(share, shares.Sum() / 40, shares.Sum() * 6 / 10));
        Assert.InRange(fast, TimeSpan.Zero, TimeSpan.FromSeconds(4)); // 4 MB, which at the other's rate takes as many seconds alone

        async Task<long> ReadAsync(FakeClient client)
        {
            var frames = 0L;
            // One part after the other, as apps ask.
            for (; !Volatile.Read(ref isOver); frames += 100) await client.DownloadAsync(100, 2000);
            return frames;
        }

        static long Sent(ProxyUnderTest test) =>
            test.Proxy.Control.ManagedUsers.Usage(0).Users.Single(it => it.Name == "default").SentBytes;
    }
}
