using System.Collections.Immutable;
using System.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>Peers that keep the proxy waiting. Every phase before the relay has an absolute deadline, which no byte extends.</summary>
[Collection(nameof(Siege))]
public sealed class SilenceTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    // Limits are kept in ticks of the loop's wheel; a timer of the test may be early by its own resolution.
    private static readonly TimeSpan NotBefore = TimeSpan.FromSeconds(0.9);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Whoever_falls_silent_before_we_know_them_is_closed_at_the_handshake_deadline(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine, Short);
        var proxy = besieged.Proxy;
        await using var tls = await proxy.ConnectAsync();
        await using var secure = await proxy.ConnectAsync(new ClientProfile { Mode = ClientMode.Secure });
        var header = secure.Encipher([]);
        ImmutableArray<byte[]> beginnings = [[], [0x16], [0x16, 3, 1, 7, 0], tls.Hello[..43], tls.Hello[..^1], header[..1], header[..63]];

        await Task.WhenAll(beginnings.Select(beginning => StrangerAsync(wire => wire.SendAsync(beginning))));
        await proxy.UntilClosedAsync("handshake_timeout", "client", beginnings.Length + 2);  // and the two that only lent their bytes
        await proxy.Metrics.UntilAsync("portico_timeouts_total", beginnings.Length + 2, ("phase", "handshake"));
        await tls.DisposeAsync();
        await secure.DisposeAsync();
        await besieged.AssertUnharmedAsync();

        async Task StrangerAsync(Func<Wire, Task> speak)
        {
            var watch = Stopwatch.StartNew();
            await using var wire = await Wire.ConnectAsync(proxy.Endpoint);
            await speak(wire);
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await wire.ReadToEndAsync());
            Assert.InRange(watch.Elapsed, NotBefore, Wire.Patience);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Whoever_falls_silent_behind_the_flight_is_closed_at_the_header_deadline(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine, Short);
        var proxy = besieged.Proxy;
        var connections = proxy.Telegram.Connections.Count;
        Func<FakeClient, byte[]>[] words =
        [
            _ => [],
            _ => [0x14, 3, 3, 0, 1, 1],
            _ => [0x17, 3, 3, 0, 0],
            _ => [0x17],
            _ => [0x17, 3, 3, 0, 64],
            client => [0x17, 3, 3, 0, 64, .. client.Encipher([])[..63]],
        ];
        await Task.WhenAll(words.Select(async word =>
        {
            var watch = Stopwatch.StartNew();
            await using var client = await proxy.GreetAsync();
            await client.Wire.SendAsync(word(client));
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            Assert.InRange(watch.Elapsed, NotBefore, Wire.Patience);
        }));
        await proxy.UntilClosedAsync("header_timeout", "client", words.Length);
        Assert.Equal(connections, proxy.Telegram.Connections.Count);
        await besieged.AssertUnharmedAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_peer_that_dribbles_is_closed_at_the_deadline_whatever_it_dribbles(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine, Short);
        var proxy = besieged.Proxy;
        await using var stranger = await proxy.ConnectAsync();
        await using var secure = await proxy.ConnectAsync(new ClientProfile { Mode = ClientMode.Secure });
        await using var greeted = await proxy.GreetAsync();
        await using var empty = await proxy.GreetAsync();
        await Task.WhenAll(
            DribbleAsync(stranger, stranger.Hello, 1),
            DribbleAsync(secure, secure.Encipher(new byte[5000]), 1),
            DribbleAsync(greeted, [.. greeted.Encipher([]).SelectMany(value => new byte[] { 0x17, 3, 3, 0, 1, value })], 6),
            DribbleAsync(empty, [.. Enumerable.Repeat(new byte[] { 0x17, 3, 3, 0, 0 }, 1000).SelectMany(record => record)], 5));
        await proxy.UntilClosedAsync("handshake_timeout", "client", 2);
        await proxy.UntilClosedAsync("header_timeout", "client", 2);
        foreach (var client in new[] { stranger, secure, greeted, empty })
            await client.DisposeAsync();
        await besieged.AssertUnharmedAsync();
    }

    // At this pace the whole of any of them takes six seconds or more: only the deadline ends it earlier.
    private static async Task DribbleAsync(FakeClient client, byte[] bytes, int piece)
    {
        var watch = Stopwatch.StartNew();
        using var pace = new PeriodicTimer(Pace);  // the slowness is what is tested
        var answer = client.Wire.ReadToEndAsync();
        var sent = 0;
        for (; sent < bytes.Length && !answer.IsCompleted; sent += piece)
        {
            await client.Wire.TrySendAsync(bytes.AsMemory(sent, piece));
            await pace.WaitForNextTickAsync();
        }
        Assert.Equal((0, true), ((await answer).Bytes.Length, sent < bytes.Length));
        Assert.InRange(watch.Elapsed, NotBefore - Pace, Wire.Patience);
    }

    private static ProxySettings Short(ProxySettings settings) =>
        settings with { Timeouts = settings.Timeouts with { Handshake = Limit, Header = Limit } };
}
