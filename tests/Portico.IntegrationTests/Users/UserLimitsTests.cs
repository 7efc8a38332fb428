using System.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Users;

/// <summary>Quotas and rates with many sessions on two loops over real sockets, direct and through middle proxies.</summary>
public sealed class UserLimitsTests
{
    private const long Megabyte = 1 << 20;

    private static readonly ProxySecret Other = ProxySecret.Create("another secret 1"u8);

    public static TheoryData<EngineKind, bool> Ways => Engines.With(false, true);

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Fifty_sessions_at_full_speed_share_a_quota_and_all_end_with_it(EngineKind engine, bool isMiddle)
    {
        await using var test = Start(engine, isMiddle, new UserTerms { Quota = new UserQuota(100 * Megabyte, QuotaPeriod.None) });
        var clients = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => test.GreetAsync()));
        foreach (var client in clients) await client.AskForAsync(4000, 2000);
        var user = test.Proxy.Control.ManagedUsers;
        var ends = clients.Select(client => client.UntilEndAsync(TimeSpan.FromSeconds(60))).ToList();
        await Task.WhenAny(ends);
        var sinceFirst = Stopwatch.StartNew();
        await Task.WhenAll(ends);
        var closing = sinceFirst.Elapsed;
        var usage = user.Usage(0).Users.Single(it => it.Name == "default");
        foreach (var client in clients) await client.DisposeAsync();

        Assert.InRange(usage.UsedBytes, 99 * Megabyte, 102 * Megabyte);
        Assert.InRange(closing, TimeSpan.Zero, TimeSpan.FromSeconds(10)); // what was on its way is read first, by a busy machine
        Assert.True(await user.ResetUsageAsync("default"));
        await using var again = await test.GreetAsync();
        await again.EchoAsync(1000);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Eight_sessions_of_a_user_share_its_rate_and_another_user_has_its_own_way(EngineKind engine, bool isMiddle)
    {
        const int Seconds = 6;
        await using var test = Start(engine, isMiddle, new UserTerms { DownRate = 1_000_000 });
        var clients = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => test.GreetAsync()));
        var isOver = false;
        var reading = clients.Select(ReadAsync).ToList();
        await Task.Delay(1000); // what may be caught up on is over
        var before = Sent(test);
        var clock = Stopwatch.StartNew();
        await using var other = await test.GreetAsync(new ClientProfile { Secret = Other });
        for (var i = 0; i < 20; i++) await other.DownloadAsync(100, 2000);
        var fast = clock.Elapsed;
        await Task.Delay(TimeSpan.FromSeconds(Seconds) - (fast < TimeSpan.FromSeconds(Seconds) ? fast : TimeSpan.Zero));
        var rate = (Sent(test) - before) / clock.Elapsed.TotalSeconds;
        Volatile.Write(ref isOver, true);
        var shares = await Task.WhenAll(reading);
        foreach (var client in clients) await client.DisposeAsync();

        Assert.InRange(rate, 850_000, 1_150_000);
        // An eighth each, more or less; one that is alone on its loop has half.
        Assert.All(shares, share => Assert.InRange(share, shares.Sum() / 40, shares.Sum() * 7 / 10));
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

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task A_rate_loses_no_byte_in_either_direction(EngineKind engine, bool isMiddle)
    {
        await using var test = Start(engine, isMiddle, new UserTerms { DownRate = 500_000, UpRate = 500_000 });
        await using var client = await test.GreetAsync();
        var clock = Stopwatch.StartNew();
        await client.DownloadAsync(500, 2000);
        await client.UploadAsync(500, 2000);
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30)); // 2 MB at half a megabyte a second
    }

    private static ProxyUnderTest Start(EngineKind engine, bool isMiddle, UserTerms terms)
    {
        return isMiddle ? ProxyUnderTest.StartMiddle(engine, Change) : ProxyUnderTest.Start(engine, Change);

        ProxySettings Change(ProxySettings settings) => settings with
        {
            Listeners =
            [
                settings.Listeners[0] with
                {
                    Credentials = [settings.Listeners[0].Credentials[0] with { Terms = terms }, new Credential("other", Other)],
                },
            ],
        };
    }
}
