using System.Globalization;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>Labels are closed sets: nothing that a peer sends becomes one.</summary>
public sealed class MetricLabelTests
{
    private const string Sni = "name.of.a.visitor.example.org";

    private static readonly Dictionary<string, Func<string, bool>> Sets = new()
    {
        ["listener"] = value => value == ProxyUnderTest.Listener,
        ["dc"] = value => int.Parse(value, CultureInfo.InvariantCulture) is >= -5 and <= 5 and not 0,
        ["reason"] = value => Enum.GetValues<CloseReason>().Select(reason => reason.Tag()).Contains(value),
        ["side"] = value => Enum.GetValues<GuiltySide>().Select(side => side.Tag()).Contains(value),
        ["state"] = value => value is "handshake" or "relaying" or "cover",
        ["protocol"] = value => value is "fake_tls" or "secure" or "intermediate" or "abridged",
        ["stage"] = value => value is "no_bytes" or "partial_hello" or "silent_after_flight" or "partial_header",
        ["end"] = value => value is "reset" or "write_timeout",
        ["phase"] = value => value is "handshake" or "idle" or "write",
        ["clock"] = value => value is "ahead" or "behind",
        ["mode"] = value => value is "user" or "system",
        ["generation"] = value => value is "0" or "1" or "2",
        ["result"] = value => value is "ok" or "refused" or "timeout" or "unreachable" or "reset" or "no_resources"
            or "no_address" or "other" or "connect_error" or "policy" or "no_sni" or "loop",
    };

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task No_label_of_any_instrument_carries_what_a_peer_said_or_who_it_is(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(
            engine, settings => settings with
            {
                Timeouts = settings.Timeouts with { Handshake = TimeSpan.FromSeconds(1) },
                Limits = settings.Limits with { CountsLoopback = true }, // as if they came from elsewhere
            });
        foreach (var dc in new short[] { 2, -5, 0, 4711, -4711 })
        {
            foreach (var profile in new ClientProfile[]
            {
                new() { Domain = Sni, Dc = dc },
                new() { Mode = ClientMode.Secure, Dc = dc },
                new() { Mode = ClientMode.Plain, Transport = Transport.Intermediate, Dc = dc },
            })
            {
                await using var client = await test.GreetAsync(profile);
                await client.EchoAsync(100);
                Assert.Equal(new HashSet<string>(), Wrong());  // while it relays
            }
        }
        await using (var gone = await test.GreetAsync(new ClientProfile { Domain = Sni }))
        {
            await gone.EchoAsync(10);
            await gone.CommandAsync(TestCommand.Reset);
            await gone.ReadToEndAsync();
        }
        await using (var lost = await test.GreetAsync(new ClientProfile { Domain = Sni }))
        {
            await lost.EchoAsync(10);
            lost.Wire.Reset();
        }
        await StrangerClient.CallAsync(test.Endpoint, HelloBytes.Create(test.Secret, Sni, 4711));
        var anHourAgo = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 3600;
        await StrangerClient.CallAsync(test.Endpoint, HelloBytes.Create(test.Secret, Sni, (uint)anHourAgo));
        await StrangerClient.CallAsync(test.Endpoint, HelloBytes.Malformed());
        await StrangerClient.CallAsync(test.Endpoint, "GET /name.of.a.visitor.example.org HTTP/1.1\r\n\r\n"u8.ToArray());
        await StrangerClient.CallAsync(test.Endpoint, test.Secret.Key[..10].ToArray());
        await test.UntilEmptyAsync();

        Assert.Equal(new HashSet<string>(), Wrong());
        Assert.Equal(Sets.Keys.Order(), test.Metrics.Labels().Select(label => label.Name).Distinct().Order());  // every set was tried

        HashSet<string> Wrong() =>
            [.. test.Metrics.Labels().Where(label => !Sets[label.Name](label.Value)).Select(label => $"{label.Name}={label.Value}")];
    }
}
