using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Clients;

/// <summary>What the kernel makes of <c>resetOnClose</c>.</summary>
public sealed class ResetOnCloseTests
{
    private static readonly ProxySecret Other = ProxySecret.Create("some other bytes"u8);

    public static TheoryData<EngineKind, ResetOnClose> EveryMode =>
        Engines.With(ResetOnClose.Off, ResetOnClose.HandshakeError, ResetOnClose.Always);

    [Theory]
    [MemberData(nameof(EveryMode))]
    public async Task A_stranger_sees_what_was_asked_for_and_an_alert_always_arrives(EngineKind engine, ResetOnClose mode)
    {
        await using var test = ProxyUnderTest.Start(engine, settings => settings with { ResetOnClose = mode });
        var hello = HelloBytes.Create(Other, "www.example.org", (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        Assert.Equal(
            Received.Nothing(mode == ResetOnClose.Off ? PeerEnd.Fin : PeerEnd.Reset),
            await StrangerClient.CallAsync(test.Endpoint, hello));
        Assert.Equal(
            new Received(TlsAlert.DecodeError.ToArray(), PeerEnd.Fin),
            await StrangerClient.CallAsync(test.Endpoint, HelloBytes.Malformed()));
        Assert.Equal(
            new Received(TlsAlert.DecodeError.ToArray(), PeerEnd.Fin),
            await StrangerClient.CallAsync(test.Endpoint, [.. HelloBytes.Malformed(), .. new byte[100_000]]));
    }

    [Theory]
    [MemberData(nameof(EveryMode))]
    public async Task An_idle_client_sees_a_reset_only_with_always(EngineKind engine, ResetOnClose mode)
    {
        await using var test = ProxyUnderTest.Start(engine, settings =>
            settings with { ResetOnClose = mode, Timeouts = settings.Timeouts with { Idle = TimeSpan.FromSeconds(1) } });
        await using var client = await test.GreetAsync();
        await client.EchoAsync(100);
        Assert.Equal(Received.Nothing(mode == ResetOnClose.Always ? PeerEnd.Reset : PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        await test.UntilClosedAsync("idle_timeout", "client");
    }
}
