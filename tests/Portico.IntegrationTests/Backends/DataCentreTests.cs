using System.Collections.Immutable;
using System.Net;
using Portico.Core.Net;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Backends;

/// <summary>Which data centre a client gets (spec/04 section 2).</summary>
public sealed class DataCentreTests
{
    public static TheoryData<EngineKind, (short Asked, short Got)> EveryId =>
        Engines.With<(short, short)>((1, 1), (-4, -4), (5, 5), (0, 2), (77, 2), (-77, 2), (-9999, 2));

    [Theory]
    [MemberData(nameof(EveryId))]
    public async Task A_client_gets_the_data_centre_it_names_or_the_default_one(EngineKind engine, (short Asked, short Got) id)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync(new ClientProfile { Dc = id.Asked });
        await client.EchoAsync(100);
        Assert.Equal(id.Got, Assert.Single(test.Telegram.Connections).DcId);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Another_address_is_tried_when_one_refuses(EngineKind engine)
    {
        await using var dead = FakeTelegram.Start(new DcBehaviour { Refuses = true });
        await using var alive = FakeTelegram.Start();
        var addresses = ImmutableArray.Create(dead.Endpoint, alive.Endpoint);
        await using var test = ProxyUnderTest.Start(engine, settings => settings with
        {
            Direct = settings.Direct with { Endpoints = ImmutableDictionary<int, ImmutableArray<IPEndPoint>>.Empty.Add(3, addresses) },
        });
        for (var i = 0; i < 4; i++)
        {
            await using var client = await test.GreetAsync(new ClientProfile { Dc = 3 });
            await client.EchoAsync(100);
        }
        Assert.Equal(4, alive.Connections.Count);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_media_data_centre_lives_where_the_main_one_does(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(
            engine, settings => settings with { Direct = settings.Direct with { Endpoints = settings.Direct.Endpoints.Remove(-1) } });
        await using var client = await test.GreetAsync(new ClientProfile { Dc = -1 });
        await client.EchoAsync(100);
        Assert.Equal(-1, Assert.Single(test.Telegram.Connections).DcId);
    }
}
