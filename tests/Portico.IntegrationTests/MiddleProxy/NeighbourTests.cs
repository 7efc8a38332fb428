using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>A client that breaks the rules shares its link with three hundred that do not.</summary>
public sealed class NeighbourTests
{
    private const int Neighbours = 299;

    private static readonly (ClientKind Kind, int Length, string Reason)[] BadPackets =
    [
        (ClientKind.Abridged, 0, "zero_length"),
        (ClientKind.Intermediate, 0, "zero_length"),
        (ClientKind.FakeTls, 0, "zero_length"),
        (ClientKind.Intermediate, 17, "unaligned"),
    ];

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_packet_without_length_or_alignment_leaves_the_others_on_the_link_alone(EngineKind engine)
    {
        await using var test = await MiddleStage.StartAsync(engine, links: 1, MiddleStage.Clock());
        var neighbours = await Task.WhenAll(Enumerable.Range(0, Neighbours).Select(_ => GreetAsync(test)));
        var link = Assert.Single(test.Fake().Connections);
        foreach (var (kind, length, reason) in BadPackets)
        {
            await using var bad = await test.GreetAsync(kind.Profile() with { MaxPadding = 0 });
            await bad.EchoAsync(64);
            var before = link.Requests.Count;
            var bodies = neighbours.Select(_ => RandomNumberGenerator.GetBytes(100)).ToArray();
            link.Answering.Close();
            await Task.WhenAll(neighbours.Select((client, i) => client.SendAsync(TestFrame.Create(TestCommand.Echo, bodies[i]))));
            await test.Network.UntilAsync(_ => link.Requests.Count == before + Neighbours);
            await bad.SendAsync(new byte[length]);
            await bad.ExpectEndAsync();
            link.Answering.Open();
            await Task.WhenAll(neighbours.Select((client, i) => client.ExpectEchoAsync(bodies[i])));
            await test.Metrics.UntilAsync(
                "portico_protocol_error_total", BadPackets.TakeWhile(it => it != (kind, length, reason)).Count() + 1);
        }

        await test.UntilClosedAsync("zero_length", "client", 3);
        await test.UntilClosedAsync("unaligned", "client", 1);
        await test.Network.UntilAsync(_ => link.CloseConns.Count == BadPackets.Length);
        Assert.Same(link, Assert.Single(test.Fake().OpenConnections));
        await neighbours.DisposeAllAsync();
    }

    private static async Task<FakeClient> GreetAsync(ProxyUnderTest test)
    {
        var client = await test.GreetAsync(ClientKind.Secure.Profile());
        await client.EchoAsync(64);
        return client;
    }
}
