using System.Diagnostics;
using Portico.Core.Control;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Users;

/// <summary>Quotas and rates with sessions on two loops over real sockets, direct and through middle proxies.</summary>
public sealed class UserLimitsTests
{
    private const long Megabyte = 1 << 20;

    /// <summary>Of the user without terms.</summary>
    internal static readonly ProxySecret Other = ProxySecret.Create("another secret 1"u8);

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
        Assert.Equal(UserOutcome.Applied, await user.ResetUsageAsync("default"));
        await using var again = await test.GreetAsync();
        await again.EchoAsync(1000);
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

    /// <summary>A proxy with the terms for one user, and another user without any.</summary>
    internal static ProxyUnderTest Start(EngineKind engine, bool isMiddle, UserTerms terms)
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
