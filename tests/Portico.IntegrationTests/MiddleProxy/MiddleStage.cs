using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>A proxy with one loop, so that all clients of a data centre share its links, and what tests of links ask of it.</summary>
internal static class MiddleStage
{
    /// <summary>More than the two seconds after which a packet without an answer counts as one that gets none.</summary>
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    /// <summary>A clock that a test moves. It begins now, because clients sign the real time.</summary>
    public static ManualTime Clock() => new(TimeProvider.System.GetUtcNow());

    /// <summary>One loop and so many links, all of them ready.</summary>
    public static async Task<ProxyUnderTest> StartAsync(EngineKind engine, int links, ManualTime time, MiddleProxySettings? limits = null)
    {
        var test = ProxyUnderTest.StartMiddle(
            engine,
            settings => settings with
            {
                Loops = 1,
                Middle = settings.Middle with
                {
                    InitialConnections = links,
                    ClientsPerConnection = limits?.ClientsPerConnection ?? settings.Middle.ClientsPerConnection,
                    BackPressure = limits?.BackPressure ?? settings.Middle.BackPressure,
                },
            },
            time: time);
        await test.UntilLinksAsync(links);
        return test;
    }

    /// <summary>Clients of all kinds by turns, each with an answered packet.</summary>
    public static async Task<List<FakeClient>> GreetManyAsync(this ProxyUnderTest test, int count)
    {
        var clients = new List<FakeClient>();
        var kinds = Enum.GetValues<ClientKind>();
        for (var i = 0; i < count; i++)
        {
            clients.Add(await test.GreetAsync(kinds[i % kinds.Length].Profile()));
            await clients[i].EchoAsync(64);
        }
        return clients;
    }

    public static FakeMiddleProxy Fake(this ProxyUnderTest test) => test.Network.MiddleProxy(2);

    /// <summary>The open link on which a client was last heard.</summary>
    public static MiddleConnection LinkOf(this ProxyUnderTest test, FakeClient client) =>
        Assert.Single(test.Fake().OpenConnections, link => link.Clients.Any(it => it.IsOpen && it.Endpoint.Equals(client.Wire.Local)));

    /// <summary>
    /// A client sees nothing but FIN and hangs up: a session that was
    /// ended for its client's sake is counted when the client is gone.
    /// </summary>
    public static async Task ExpectEndAsync(this FakeClient client)
    {
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        client.Wire.FinishSending();
    }

    /// <summary>Waits until so many clients of dead links have met this fate.</summary>
    public static Task UntilMigratedAsync(this ProxyUnderTest test, string result, int count) =>
        test.Metrics.UntilAsync("portico_migrations_total", count, ("result", result), ("dc", "2"), ("listener", ProxyUnderTest.Listener));

    public static double Migrated(this ProxyUnderTest test, string result) =>
        test.Metrics.Value("portico_migrations_total", ("result", result));

    public static async Task DisposeAllAsync(this IEnumerable<FakeClient> clients)
    {
        foreach (var client in clients)
            await client.DisposeAsync();
    }
}
