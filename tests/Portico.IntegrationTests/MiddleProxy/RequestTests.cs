using System.Net;
using System.Security.Cryptography;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>What a middle proxy is told of each client (spec/03 section 5), and which clients it is told of.</summary>
public sealed class RequestTests
{
    public static TheoryData<EngineKind, (ClientKind Kind, uint Flags)> EveryFlags => Engines.With(
        (ClientKind.Abridged, 0x40021000u), (ClientKind.Intermediate, 0x20021000u),
        (ClientKind.Secure, 0x28021000u), (ClientKind.FakeTls, 0x28021000u));

    public static TheoryData<EngineKind, (short Asked, short Got)> EveryId =>
        Engines.With<(short, short)>((1, 1), (-4, -4), (4, 4), (-1, 1), (0, 2), (77, 2), (-77, 2), (-9999, 2));

    [Theory]
    [MemberData(nameof(EveryFlags))]
    public async Task Flags_tell_framing_encryption_and_ad_tag(EngineKind engine, (ClientKind Kind, uint Flags) row)
    {
        var tag = RandomTag();
        var (plain, tagged) = (RandomSecret(), RandomSecret());
        await using var test = ProxyUnderTest.StartMiddle(
            engine, WithCredentials(new Credential("plain", plain), new Credential("tagged", tagged, tag)));
        await using var without = await test.GreetAsync(row.Kind.Profile() with { Secret = plain });
        await without.EchoAsync(100);
        await without.PingAsync();
        await using var with = await test.GreetAsync(row.Kind.Profile() with { Secret = tagged });
        await with.EchoAsync(100);
        await with.PingAsync();

        var requests = test.Network.MiddleProxy(2).Requests.ToLookup(request => request.Client);
        var ofPlain = requests[without.Wire.Local].ToArray();
        Assert.Equal([row.Flags, row.Flags | 2], ofPlain.Select(request => request.Flags));
        Assert.All(ofPlain, request => Assert.Null(request.AdTag));
        var ofTagged = requests[with.Wire.Local].ToArray();
        Assert.Equal([row.Flags | 8, row.Flags | 10], ofTagged.Select(request => request.Flags));
        Assert.All(ofTagged, request => Assert.Equal(tag, request.AdTag));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_request_names_the_client_and_the_address_of_the_link(EngineKind engine)
    {
        var external = IPAddress.Parse("198.51.100.77");
        await using var test = ProxyUnderTest.StartMiddle(
            engine,
            settings => settings with { Middle = settings.Middle with { ExternalV4 = external } },
            new MiddleBehaviour { ProxyAddress = external });
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
        await client.EchoAsync(100);
        var link = Assert.Single(test.Network.MiddleProxy(2).Connections, link => link.Requests.Count > 0);
        Assert.Equal(external, link.Proxy.Address);
        Assert.All(link.Requests, request => Assert.Equal((client.Wire.Local, link.Proxy), (request.Client, request.Proxy)));
        Assert.Single(link.Requests.Select(request => request.ConnectionId).Distinct());
    }

    [Theory]
    [MemberData(nameof(EveryId))]
    public async Task A_client_gets_the_middle_proxy_of_its_data_centre_or_the_default_one(EngineKind engine, (short Asked, short Got) id)
    {
        await using var network = FakeTelegramNetwork.Start([1, 2, 4, -4]);
        await using var test = ProxyUnderTest.StartMiddle(engine, network);
        await using var client = await test.GreetAsync(ClientKind.FakeTls.Profile() with { Dc = id.Asked });
        await client.EchoAsync(100);
        Assert.Single(network.MiddleProxy(id.Got).Requests);
        Assert.Single(network.MiddleProxies.SelectMany(fake => fake.Requests));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Without_a_default_an_unknown_data_centre_closes_the_client(EngineKind engine)
    {
        await using var network = FakeTelegramNetwork.Start([1]);
        await using var test = ProxyUnderTest.StartMiddle(engine, network);
        await test.UntilLinksAsync(1);
        await using var client = await test.GreetAsync(ClientKind.FakeTls.Profile() with { Dc = 5 });
        await client.SendHeaderAsync();
        await client.ExpectEndAsync();
        await test.UntilClosedAsync("unknown_dc", "client");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Auto_takes_clients_with_an_ad_tag_to_a_middle_proxy_and_the_others_to_a_data_centre(EngineKind engine)
    {
        var (plain, tagged) = (RandomSecret(), RandomSecret());
        var tag = RandomTag();
        var credentials = WithCredentials(new Credential("plain", plain), new Credential("tagged", tagged, tag));
        await using var test = ProxyUnderTest.StartMiddle(
            engine, settings => credentials(settings) with { Mode = BackendMode.Auto });
        await using var without = await test.GreetAsync(ClientKind.FakeTls.Profile() with { Secret = plain });
        await without.PingAsync();
        Assert.Single(test.Telegram.Connections);
        Assert.Empty(test.Network.MiddleProxy(2).Requests);

        await using var with = await test.GreetAsync(ClientKind.FakeTls.Profile() with { Secret = tagged });
        await with.PingAsync();
        Assert.Single(test.Telegram.Connections);
        Assert.Equal(tag, Assert.Single(test.Network.MiddleProxy(2).Requests).AdTag);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Where_nobody_has_an_ad_tag_auto_asks_Telegram_for_nothing(EngineKind engine)
    {
        await using var test = ProxyUnderTest.StartMiddle(engine, settings => settings with { Mode = BackendMode.Auto });
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
        Assert.Empty(test.Network.Site.Requests);
        Assert.Empty(test.Network.MiddleProxy(2).Connections);
    }

    private static AdTag RandomTag() => AdTag.Create(RandomNumberGenerator.GetBytes(AdTag.Length));

    private static ProxySecret RandomSecret() => ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));

    private static Func<ProxySettings, ProxySettings> WithCredentials(params Credential[] credentials) =>
        settings => settings with { Listeners = [settings.Listeners[0] with { Credentials = [.. credentials] }] };
}
