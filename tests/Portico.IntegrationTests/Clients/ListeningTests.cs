using System.Globalization;
using System.Net;
using Portico.Core.Net;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Xunit;

namespace Portico.IntegrationTests.Clients;

public sealed class ListeningTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task The_IPv6_wildcard_serves_both_families(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, settings => settings with
        {
            Listeners = [settings.Listeners[0] with { Address = new IPEndPoint(IPAddress.IPv6Any, 0) }],
        });
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback })
        {
            await using var client = await FakeClient.ConnectAsync(
                new IPEndPoint(address, test.Endpoint.Port), new ClientProfile { Secret = test.Secret });
            await client.GreetAsync();
            await client.EchoAsync(100);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_second_proxy_on_the_same_port_is_refused_by_name_and_steals_no_client(EngineKind engine)
    {
        await using var first = ProxyUnderTest.Start(engine);
        var error = Assert.Throws<ListenException>(() => ProxyUnderTest.Start(engine, settings => settings with
        {
            Listeners = [settings.Listeners[0] with { Address = first.Endpoint }],
        }));
        Assert.Contains(first.Endpoint.Port.ToString(CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
        for (var i = 0; i < 10; i++)
        {
            await using var client = await first.GreetAsync();
            await client.EchoAsync(100);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Every_listener_has_its_own_secrets(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, settings => settings with
        {
            Listeners =
            [
                settings.Listeners[0],
                settings.Listeners[0] with
                {
                    Name = "other",
                    Credentials = [new Credential("other", ProxySecret.Create("another password"u8))],
                },
            ],
        });
        await using var client = await FakeClient.ConnectAsync(
            test.Proxy.Endpoints[1], new ClientProfile { Secret = test.Proxy.Settings.Listeners[1].Credentials[0].Secret });
        await client.GreetAsync();
        await client.EchoAsync(100);
        await test.Metrics.UntilAsync("portico_protocol_ok_total", 1, ("listener", "other"));

        await using var lost = await FakeClient.ConnectAsync(test.Proxy.Endpoints[1], new ClientProfile { Secret = test.Secret });
        await lost.SendHelloAsync();
        Assert.Empty((await lost.Wire.ReadToEndAsync()).Bytes);
    }
}
