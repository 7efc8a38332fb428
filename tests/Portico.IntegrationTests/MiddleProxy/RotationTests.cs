using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>
/// Links die over and over under many clients. The test keeps books
/// of its own on who had something in flight, and holds the proxy to them.
/// </summary>
public sealed class RotationTests
{
    private const int Links = 4;
    private const int Idle = 400, Busy = 100;
    private const int Rotations = 20;

    private readonly Gate _answering = new(isOpen: true);
    private readonly List<FakeClient> _idle = [];
    private readonly List<FakeClient> _busy = [];
    private readonly Dictionary<FakeClient, byte[]> _inFlight = [];

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Nobody_is_lost_who_had_nothing_in_flight(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(
            engine,
            settings => settings with { Middle = settings.Middle with { InitialConnections = Links } },
            new MiddleBehaviour { IsForgetful = true, Answering = _answering },
            MiddleStage.Clock());
        await test.UntilLinksAsync(Links);
        await Task.WhenAll(Enumerable.Range(0, Idle + Busy).Select(i => JoinAsync(test, i, i < Idle ? _idle : _busy)));

        var (moved, closed, replaced) = (0, 0, 0);
        for (var round = 0; round < Rotations; round++)
        {
            var everyLink = round % 2 == 0;
            var end = round % 4 < 2 ? PeerEnd.Fin : PeerEnd.Reset;
            // Who moved is unknown to its new link until it speaks: before one link alone ends, the fake must know who is on it.
            if (!everyLink)
                await EchoAllAsync(_idle);
            await EchoAllAsync(_busy);
            test.Advance(MiddleStage.Rest);

            var before = test.Fake().Requests.Count;
            _answering.Close();
            await Task.WhenAll(_busy.Where((_, i) => (i + round) % 3 == 0).Select(SendAsync));
            await test.Network.UntilAsync(network => network.MiddleProxy(2).Requests.Count == before + _inFlight.Count);
            var ending = test.Fake().OpenConnections.Take(everyLink ? Links : 1).ToArray();
            var known =
                ending.SelectMany(link => link.Clients).Where(client => client.IsOpen).Select(client => client.Endpoint).ToHashSet();
            var lost = _inFlight.Keys.Where(client => known.Contains(client.Wire.Local)).ToArray();
            closed += lost.Length;
            moved += (everyLink ? Idle + Busy : known.Count) - lost.Length;
            await Task.WhenAll(ending.Select(link => link.EndAsync(end)));
            _answering.Open();

            await test.UntilMigratedAsync("mid_send", closed);
            // Each link that ended is replaced by one; then everybody is where they stay.
            replaced += ending.Length;
            await test.Metrics.UntilAsync("portico_dc_connect_total", Links + replaced, ("result", "ok"));
            await test.Metrics.UntilAsync("portico_dc_clients", Idle + Busy - lost.Length);
            await test.SettleAsync();
            // While all links end one after the other, who moved may find the next one dying, and moves again.
            moved = everyLink ? Math.Max(moved, (int)test.Migrated("ok")) : moved;
            await test.UntilMigratedAsync("ok", moved);
            await Task.WhenAll(lost.Select(LeaveAsync));
            await Task.WhenAll(_inFlight.Select(item => item.Key.ExpectEchoAsync(item.Value)));
            _inFlight.Clear();
            await Task.WhenAll(lost.Select((_, i) => JoinAsync(test, i, _busy)));
            await test.UntilLinksAsync(Links);
        }
        await EchoAllAsync(_idle);
        await EchoAllAsync(_busy);

        await test.UntilClosedAsync("mid_send", "telegram", closed);
        Assert.Equal(closed, test.Metrics.Value("portico_connections_closed_total"));
        Assert.Equal(closed + moved, test.Metrics.Value("portico_migrations_total"));
        Assert.Equal(Idle + Busy, test.Metrics.Value("portico_dc_clients"));
        Assert.True(closed > 0 && moved > Idle);
        await _idle.DisposeAllAsync();
        await _busy.DisposeAllAsync();
    }

    private static Task EchoAllAsync(IEnumerable<FakeClient> clients) => Task.WhenAll(clients.Select(client => client.EchoAsync(128)));

    private static async Task JoinAsync(ProxyUnderTest test, int number, List<FakeClient> group)
    {
        var kinds = Enum.GetValues<ClientKind>();
        var client = await test.GreetAsync(kinds[number % kinds.Length].Profile());
        await client.EchoAsync(128);
        lock (group)
            group.Add(client);
    }

    private async Task SendAsync(FakeClient client)
    {
        var body = RandomNumberGenerator.GetBytes(256);
        lock (_inFlight)
            _inFlight[client] = body;
        await client.SendAsync(TestFrame.Create(TestCommand.Echo, body));
    }

    private async Task LeaveAsync(FakeClient client)
    {
        await client.ExpectEndAsync();
        await client.DisposeAsync();
        lock (_inFlight)
        {
            _inFlight.Remove(client);
            _busy.Remove(client);
        }
    }
}
