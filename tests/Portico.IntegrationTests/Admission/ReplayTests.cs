using System.Net;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Admission;

/// <summary>Somebody recorded what a client began with and sends it again.</summary>
public sealed class ReplayTests
{
    // A connection meets each of two loops by chance: all of so many on one loop is one in a million.
    private const int EnoughForEveryLoop = 20;

    private static readonly Received ClosedWithoutAByte = Received.Nothing(PeerEnd.Fin);

    public static TheoryData<EngineKind, ClientMode> EveryMode => Engines.With(ClientMode.FakeTls, ClientMode.Secure, ClientMode.Plain);

    [Theory]
    [MemberData(nameof(EveryMode))]
    public async Task A_replay_is_a_stranger_on_whichever_loop_it_comes(EngineKind engine, ClientMode mode)
    {
        await using var test = ProxyUnderTest.Start(engine);
        var beginning = await BeginAsync(test, mode);
        for (var i = 0; i < EnoughForEveryLoop; i++)
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, beginning));
        await UntilReplaysAsync(test, EnoughForEveryLoop);
        await test.Metrics.UntilAsync("portico_replay_items", 1);
        Assert.InRange(test.Metrics.Value("portico_replay_bytes"), 1000, 100_000);
        Assert.Single(test.Telegram.Connections);
        await BeginAsync(test, mode);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_replay_in_pieces_or_in_several_records_is_still_one(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        var hello = await BeginAsync(test, ClientMode.FakeTls);
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, hello, piece: 100));
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, HelloBytes.Fragment(hello, [100, 200, 300])));
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Endpoint, [.. hello, 1, 2, 3]));
        await UntilReplaysAsync(test, 3);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_replay_on_another_listener_is_a_stranger_too(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, settings => settings with
        {
            Listeners =
                [settings.Listeners[0], settings.Listeners[0] with { Name = "second", Address = new IPEndPoint(IPAddress.Loopback, 0) }],
        });
        var hello = await BeginAsync(test, ClientMode.FakeTls);
        var header = await BeginAsync(test, ClientMode.Secure);
        foreach (var beginning in new[] { hello, header })
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(test.Proxy.Endpoints[1], beginning));
        await test.Metrics.UntilAsync("portico_protocol_error_total", 2, ("listener", "second"), ("reason", "replay_session_detected"));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Of_many_who_send_one_hello_at_once_one_gets_a_flight(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.ConnectAsync();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 16).Select(_ => StrangerClient.CallAsync(test.Endpoint, client.Hello, patience: TimeSpan.FromSeconds(2))));
        Assert.Single(answers, answer => answer.Bytes.Length > 0);
        Assert.Equal(15, answers.Count(answer => answer.Equals(ClosedWithoutAByte)));
    }

    private static Task UntilReplaysAsync(ProxyUnderTest test, int count) =>
        test.Metrics.UntilAsync(
            "portico_protocol_error_total", count, ("listener", ProxyUnderTest.Listener), ("reason", "replay_session_detected"));

    /// <summary>A client of ours is let in; returns what it began with.</summary>
    private static async Task<byte[]> BeginAsync(ProxyUnderTest test, ClientMode mode)
    {
        await using var client = await test.GreetAsync(
            new ClientProfile { Mode = mode, Transport = mode == ClientMode.Plain ? Transport.Intermediate : Transport.Padded });
        var beginning = mode == ClientMode.FakeTls ? client.Hello : client.Header;
        await client.EchoAsync(100);
        return beginning;
    }
}
