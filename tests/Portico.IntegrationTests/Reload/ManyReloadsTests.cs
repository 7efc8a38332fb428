using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Reload;

public sealed class ManyReloadsTests
{
    private static readonly int Reloads = Environment.GetEnvironmentVariable("PORTICO_SLOW") is null ? 200 : 1000;

    public static TheoryData<EngineKind> All => Engines.All;

    /// <summary>Users, listeners, deadlines and limits change at random while clients relay.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public async Task Changes_under_load_reset_nobody_and_keep_nothing(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        var clients = new List<FakeClient>();
        for (var i = 0; i < 8; i++)
        {
            clients.Add(await FakeClient.ConnectAsync(test.Endpoint, new ClientProfile { Secret = test.Secret }));
            await clients[i].GreetAsync();
        }

        var random = new Random(11);
        var before = test.Proxy.Settings;
        using var stop = new CancellationTokenSource();
        var load = Task.WhenAll(clients.Select(async client =>
        {
            while (!stop.IsCancellationRequested) await client.EchoAsync(4000);
        }).ToList());
        var past = new List<WeakReference>();
        for (var i = 0; i < Reloads; i++)
        {
            past.Add(await ReloadAsync(test, Changed(before, random)));
            if (i % 20 != 0) continue;
            // One that stays, from a state of the settings that does not.
            clients.Add(await FakeClient.ConnectAsync(test.Endpoint, new ClientProfile { Secret = test.Secret }));
            await clients[^1].GreetAsync();
            await clients[^1].PingAsync();
        }

        await test.Proxy.ReloadAsync(before);
        await stop.CancelAsync();
        await load;

        foreach (var client in clients)
        {
            await client.PingAsync();
            await client.DisposeAsync();
        }

        GC.Collect();
        Assert.InRange(past.Count(it => it.IsAlive), 0, 2); // the last one may still be on somebody's stack
    }

    // In a method of its own, so that no local of the test holds what is past.
    private static async Task<WeakReference> ReloadAsync(ProxyUnderTest test, ProxySettings settings)
    {
        await test.Proxy.ReloadAsync(settings);
        return new WeakReference(settings);
    }

    private static ProxySettings Changed(ProxySettings settings, Random random)
    {
        var main = settings.Listeners[0];
        main = main with
        {
            MaxConnections = random.Next(8, 64000),
            Credentials =
            [
                .. main.Credentials,
                .. Enumerable.Range(0, random.Next(20))
                    .Select(i => new Credential($"user-{i}", ProxySecret.Create(Guid.NewGuid().ToByteArray()))),
            ],
        };
        return settings with
        {
            Listeners = random.Next(4) == 0
                ? [main, main with { Name = $"l-{random.Next(3)}", Address = new(System.Net.IPAddress.Parse("127.0.0.2"), 0) }]
                : [main],
            Timeouts = settings.Timeouts with { Idle = TimeSpan.FromSeconds(random.Next(60, 1200)) },
            ResetOnClose = random.Next(2) == 0 ? ResetOnClose.Off : ResetOnClose.HandshakeError,
        };
    }
}
