using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>Telegram's -404, which tells whoever replays a client's bytes that a proxy is here (spec/05 section 3.10).</summary>
public sealed class ServerErrorFilterTests
{
    // The fake answers -404 to any packet that it does not understand.
    private static readonly byte[] NotUnderstood = [.. Enumerable.Repeat((byte)0x55, 64)];

    private static readonly byte[] NotFound = [.. MtprotoMessages.NotFound];

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task First_keeps_back_the_error_that_comes_first_and_no_other(EngineKind engine)
    {
        await using var test = Start(engine, ServerErrorFilter.First);
        await using var client = await test.GreetAsync(ClientKind.Abridged.Profile());
        await client.SendAsync(NotUnderstood);
        await client.EchoAsync(64);
        await client.SendAsync(NotUnderstood);
        Assert.Equal(NotFound, await client.ReceiveAsync());
        Assert.Equal(1, Filtered(test));

        await using var other = await test.GreetAsync(ClientKind.Abridged.Profile());
        await other.EchoAsync(64);
        await other.SendAsync(NotUnderstood);
        Assert.Equal(NotFound, await other.ReceiveAsync());
        Assert.Equal(1, Filtered(test));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task On_keeps_back_each(EngineKind engine)
    {
        await using var test = Start(engine, ServerErrorFilter.On);
        await using var client = await test.GreetAsync();
        await client.SendAsync(NotUnderstood);
        await client.EchoAsync(64);
        await client.SendAsync(NotUnderstood);
        await client.EchoAsync(64);
        Assert.Equal(2, Filtered(test));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Off_keeps_back_none(EngineKind engine)
    {
        await using var test = Start(engine, ServerErrorFilter.Off);
        await using var client = await test.GreetAsync(ClientKind.Intermediate.Profile());
        await client.SendAsync(NotUnderstood);
        Assert.Equal(NotFound, await client.ReceiveAsync());
        Assert.Equal(0, Filtered(test));
    }

    private static ProxyUnderTest Start(EngineKind engine, ServerErrorFilter filter) =>
        ProxyUnderTest.StartMiddle(engine, settings => settings with { ServerErrorFilter = filter });

    private static double Filtered(ProxyUnderTest test) =>
        test.Metrics.Value("portico_protocol_error_total", ("reason", "srv_error_filtered"));
}
