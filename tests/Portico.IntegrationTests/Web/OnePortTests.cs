using System.Collections.Immutable;
using Portico.Core.Net;
using Portico.IntegrationTests.Cover.Probes;
using Portico.IntegrationTests.Tdlib;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Clients;
using Portico.TestKit.Covers;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Web;

/// <summary>Fake TLS, the WEB proxy and its site on one port.</summary>
public sealed class OnePortTests(ITestOutputHelper output)
{
    private const string Curl = "curl", Chromium = "chromium-headless-shell";

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Every_probe_sees_on_it_what_it_sees_where_the_site_is_alone(EngineKind engine)
    {
        await using var alone = await WebHostStage.StartAsync(engine, new());
        await using var shared = await WebHostStage.StartAsync(engine, new() { IsShared = true, CertificateOf = alone });

        var direct = Battery.AskAsync(alone.Door);
        var through = await Battery.AskAsync(shared.Door);

        var differences = through.DifferencesFrom(await direct).ToList();
        output.WriteLine($"{Battery.Size - differences.Count} of {Battery.Size} alike");
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [TdlibTheory(Curl, Chromium)]
    [Trait(Suite.Trait, Suite.Long)]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Real_clients_and_real_visitors_are_served_on_it_at_once(EngineKind engine)
    {
        await using var stage = await WebHostStage.StartAsync(engine, new()
        {
            IsShared = true,
            Carriers = [.. Enum.GetValues<WebCarrier>()],
        });
        await using var tdlib = await TdlibClient.StartAsync();
        await using var bySocket = stage.Tunnel(isSecure: true, isSocket: true);
        await using var byRequests = stage.Tunnel(isSecure: false, isSocket: false);
        var overSite = new ClientProfile { Mode = ClientMode.Secure, Secret = stage.Test.Secret };
        ImmutableArray<Task> all =
        [
            PingAsync(), VisitAsync("--http1.1", "1.1"), VisitAsync("--http2", "2"), BrowseAsync(),
            .. Enumerable.Range(0, 3).Select(_ => RelayAsync(bySocket.Endpoint, overSite)),
            .. Enumerable.Range(0, 3).Select(_ => RelayAsync(
                byRequests.Endpoint, overSite with { Mode = ClientMode.Plain, Transport = Protocol.Transport.Intermediate })),
            RelayAsync(stage.Door, overSite with { Mode = ClientMode.FakeTls, Domain = WebHostStage.Host }),
        ];

        await Task.WhenAll(all);

        Assert.Empty(bySocket.Faults);
        Assert.Empty(byRequests.Faults);

        async Task PingAsync()
        {
            for (var i = 0; i < 5; i++)
            {
                var answer = await tdlib.PingProxyAsync(stage.Door, SecretText.FormatFakeTls(stage.Test.Secret, WebHostStage.Host));
                Assert.True((string?)answer["@type"] == "seconds", answer.ToJsonString());
            }
        }

        async Task VisitAsync(string version, string expected)
        {
            for (var i = 0; i < 20; i++)
            {
                var (code, text, errors) = await Programs.RunAsync(Curl,
                [
                    "-sS", version, "--cacert", stage.CertificateFile, "--connect-to", $"{WebHostStage.Host}:443:{stage.Door}",
                    "-w", "%{http_version} %{http_code}", $"https://{WebHostStage.Host}/",
                ]);
                Assert.True(code == 0 && text == $"{WebHostStage.Page}{expected} 200", text + errors);
            }
        }

        async Task BrowseAsync()
        {
            var profile = Directory.CreateTempSubdirectory("portico-browser-");
            var (_, page, errors) = await Programs.RunAsync(Chromium,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--ignore-certificate-errors",
                $"--user-data-dir={profile.FullName}", $"--host-resolver-rules=MAP {WebHostStage.Host}:443 {stage.Door}",
                "--dump-dom", $"https://{WebHostStage.Host}/",
            ]);
            Assert.True(page.Contains("<h1>Garden notes</h1>", StringComparison.Ordinal), page + errors);
            profile.Delete(recursive: true);
        }

        static async Task RelayAsync(System.Net.IPEndPoint door, ClientProfile profile)
        {
            await using var client = await FakeClient.ConnectAsync(door, profile);
            await client.GreetAsync();
            for (var i = 0; i < 10; i++)
            {
                await client.PingAsync();
                await client.EchoAsync(10_000);
                await client.DownloadAsync(10, 100_000);
            }
        }
    }
}
