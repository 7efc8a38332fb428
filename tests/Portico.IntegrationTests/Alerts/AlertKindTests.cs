using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Portico.Core.Control;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Alerts;

/// <summary>What each kind of alert is told for, brought about for real.</summary>
public sealed class AlertKindTests
{
    private const int Clients = 20;

    [Fact]
    public async Task A_data_centre_out_of_reach_is_told_with_what_follows_from_it_and_that_it_is_back()
    {
        await using var stage = AlertStage.Start(behaviour: new DcBehaviour { Refuses = true });
        var test = stage.Test;
        await using (var client = await test.GreetAsync(new ClientProfile { Dc = 4 }))
        {
            await client.SendHeaderAsync();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        }

        var down = await stage.UntilAsync("dc_down");
        Assert.Equal([4], down.Json["details"]!["dcs"]!.AsArray().Select(dc => (int)dc!));
        Assert.Contains("data centre 4 cannot be reached", (string)down.Json["text"]!, StringComparison.Ordinal);
        var notReady = await stage.UntilAsync("not_ready");
        Assert.Equal(["no_dc"], notReady.Json["details"]!["reasons"]!.AsArray().Select(reason => (string)reason!));
        Assert.False(down.IsResolved || notReady.IsResolved);

        test.Telegram.Behaviour = DcBehaviour.Good;
        test.Telegram.Listen();
        await using var back = await test.GreetAsync(new ClientProfile { Dc = 4 });
        await back.EchoAsync(100);
        Assert.True((await stage.UntilAsync("dc_down", 2)).IsResolved);
        Assert.True((await stage.UntilAsync("not_ready", 2)).IsResolved);
    }

    [Fact]
    public async Task Every_alert_says_what_where_and_when_and_nothing_that_is_secret()
    {
        await using var stage = AlertStage.Start(behaviour: new DcBehaviour { Refuses = true });
        await using var client = await stage.Test.GreetAsync();
        await client.SendHeaderAsync();
        await client.ReadToEndAsync();

        var (alert, json) = (await stage.UntilAsync("dc_down"), stage.Receiver.Of("dc_down").First().Json);
        Assert.Equal(["kind", "text", "at", "proxy", "version", "details"], json.Select(it => it.Key));
        Assert.Equal((AlertStage.Name, AlertStage.Version), ((string)json["proxy"]!, (string)json["version"]!));
        Assert.InRange(alert.At - (DateTimeOffset)json["at"]!, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.StartsWith($"POST /hook/{AlertReceiver.Token}?key={AlertReceiver.Token} HTTP/1.1\r\n", alert.Head, StringComparison.Ordinal);
        Assert.Contains("\r\nContent-Type: application/json\r\n", $"{alert.Head}\r\n", StringComparison.Ordinal);
        foreach (var text in stage.Receiver.Posted.Select(it => it.Body))
        {
            Assert.DoesNotContain(SecretText.FormatSimple(stage.Test.Secret), text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("127.0.0.1", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_cover_out_of_reach_is_told()
    {
        // Bound and never listening: nobody else gets it.
        using var holder = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var target = CoverTarget.OfAddress(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)holder.LocalEndPoint!).Port));
        await using var stage = AlertStage.Start(settings => settings with
        {
            Cover = new CoverSettings { Mode = CoverMode.Fixed, Target = target },
        });
        await StrangerClient.CallAsync(stage.Test.Endpoint, "GET / HTTP/1.1\r\n\r\n"u8.ToArray());

        var down = await stage.UntilAsync("cover_down");
        Assert.Equal("fixed", (string)down.Json["details"]!["mode"]!);
        Assert.False(down.IsResolved);
    }

    [Fact]
    public async Task A_clock_by_which_all_clients_are_refused_is_told_and_one_client_with_a_clock_of_its_own_is_not()
    {
        await using var stage = AlertStage.Start(clockAhead: TimeSpan.FromHours(1));
        await ComeAsync(1);
        await stage.PassAsync(TimeSpan.FromMinutes(2));
        Assert.Empty(stage.Receiver.Of("clock_wrong"));

        await ComeAsync(Clients);
        var wrong = await stage.UntilAsync("clock_wrong");
        Assert.InRange((int)wrong.Json["details"]!["seconds"]!, -4000, -3000);
        Assert.Contains("s behind this machine's", (string)wrong.Json["text"]!, StringComparison.Ordinal);
        Assert.True((await stage.UntilAsync("clock_wrong", 2)).IsResolved);

        async Task ComeAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                await using var client = await stage.Test.ConnectAsync();
                await client.Wire.SendAsync(client.Hello);
                Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            }
        }
    }

    [Fact]
    public async Task Clients_that_come_and_get_no_further_are_told_as_a_block_until_one_gets_through()
    {
        var header = Encoding.ASCII.GetBytes("PROXY TCP4 198.51.100.3 192.0.2.10 50000 443\r\n");
        await using var stage = AlertStage.Start(settings => settings with
        {
            Listeners = [settings.Listeners[0] with { TrustedBalancers = [IPNetwork.Parse("127.0.0.0/8")] }],
        });
        await stage.PassAsync(TimeSpan.FromMinutes(1)); // it has looked once, and counts what grows from then on
        await LookAsync(Clients - 1);
        await stage.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Empty(stage.Receiver.Of("blocked_suspected"));

        await LookAsync(1);
        var blocked = await stage.UntilAsync("blocked_suspected");
        Assert.Equal(Clients, (int)blocked.Json["details"]!["earlyEnds"]!);
        Assert.DoesNotContain("198.51.100", blocked.Body, StringComparison.Ordinal);

        // Twenty minutes without anybody say nothing; a client that gets through does.
        await stage.PassAsync(TimeSpan.FromMinutes(20));
        Assert.Single(stage.Receiver.Of("blocked_suspected"));
        await using var client = await stage.Test.ConnectAsync(new ClientProfile { Timestamp = Now(stage) });
        await client.Wire.SendAsync(header);
        await client.GreetAsync();
        await client.EchoAsync(100);
        Assert.True((await stage.UntilAsync("blocked_suspected", 2)).IsResolved);

        async Task LookAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                await using var wire = await Wire.ConnectAsync(stage.Test.Endpoint);
                await wire.SendAsync(header);
                wire.FinishSending();
                await wire.ReadToEndAsync();
            }
        }
    }

    [Fact]
    public async Task A_quota_is_told_at_80_percent_and_at_its_end_once_and_again_when_it_begins_anew()
    {
        const int Quota = 200_000;
        await using var stage = AlertStage.Start(WithTerms(new UserTerms { Quota = new UserQuota(Quota, QuotaPeriod.None) }));
        await stage.PassAsync(TimeSpan.FromSeconds(10));
        await UseAsync(Quota * 85 / 100);
        var near = await stage.UntilAsync("quota_80");
        Assert.Equal(["default"], near.Json["details"]!["users"]!.AsArray().Select(user => (string)user!));
        Assert.Empty(stage.Receiver.Of("quota_100"));

        await UseAsync(Quota);
        var over = await stage.UntilAsync("quota_100");
        Assert.Contains("default", (string)over.Json["text"]!, StringComparison.Ordinal);
        await stage.PassAsync(TimeSpan.FromMinutes(3));
        Assert.Equal(2, stage.Receiver.Posted.Count);

        Assert.Equal(UserOutcome.Applied, await stage.Test.Proxy.Control.ManagedUsers.ResetUsageAsync("default"));
        await stage.PassAsync(TimeSpan.FromMinutes(2));
        await UseAsync(Quota * 85 / 100);
        await stage.UntilAsync("quota_80", 2);

        async Task UseAsync(long bytes)
        {
            await using var client = await stage.Test.GreetAsync(new ClientProfile { Timestamp = Now(stage) });
            try
            {
                while (Used() < bytes) await client.EchoAsync(1000);
            }
            catch (Exception cut) when (cut is PeerSurpriseException or IOException)
            {
                Assert.InRange(Used(), Quota * 9 / 10, long.MaxValue); // the rest is what loops had leased
            }
        }

        long Used() => stage.Test.Proxy.Control.ManagedUsers.Usage(0).Users.Single().UsedBytes;
    }

    [Fact]
    public async Task Users_whose_end_is_less_than_three_days_away_are_told_in_one_alert()
    {
        var now = TimeProvider.System.GetUtcNow();
        await using var stage = AlertStage.Start(settings => settings with
        {
            Listeners =
            [
                settings.Listeners[0] with
                {
                    Credentials =
                    [
                        User("soon", now + TimeSpan.FromDays(3) - TimeSpan.FromMinutes(10)),
                        User("tomorrow", now + TimeSpan.FromDays(1)), // told by the process before
                        User("just", now + TimeSpan.FromDays(3) + TimeSpan.FromMinutes(2)),
                        User("later", now + TimeSpan.FromDays(30)),
                        User("over", now - TimeSpan.FromDays(1)),
                        settings.Listeners[0].Credentials[0],
                    ],
                },
            ],
        });

        var first = await stage.UntilAsync("expires_in_3d");
        Assert.Equal(["soon"], first.Json["details"]!["users"]!.AsArray().Select(user => (string)user!));
        var second = await stage.UntilAsync("expires_in_3d", 2);
        Assert.Equal(["just"], second.Json["details"]!["users"]!.AsArray().Select(user => (string)user!));
        await stage.PassAsync(TimeSpan.FromMinutes(3));
        Assert.Equal(2, stage.Receiver.Posted.Count);

        static Credential User(string name, DateTimeOffset end) =>
            new(name, ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length)))
            {
                Terms = new UserTerms { ExpiresAt = end },
            };
    }

    [Fact]
    public async Task A_certificate_that_ends_within_two_weeks_is_told_until_another_one_is_in_its_place()
    {
        using var directory = new TemporaryDirectory();
        var (certificate, key) = (directory.File("site.pem"), directory.File("site.key"));
        WriteCertificate(days: 13);
        Assert.True(WebAddress.TryCreate("www.example.org", "", out var address, out _));
        await using var stage = AlertStage.Start(settings => settings with
        {
            Listeners =
            [
                settings.Listeners[0] with
                {
                    Web = new WebSettings
                    {
                        Address = address, Carriers = [WebCarrier.Https], Certificate = certificate, Key = key,
                        Socket = directory.File("s"),
                    },
                },
            ],
        });
        var ending = await stage.UntilAsync("certificate_expires");
        Assert.Equal(["test"], ending.Json["details"]!["listeners"]!.AsArray().Select(name => (string)name!));
        Assert.False((bool)ending.Json["details"]!["expired"]!);

        // While it is being exchanged there may be none; that is no better one.
        File.Delete(certificate);
        await stage.PassAsync(TimeSpan.FromMinutes(3));
        Assert.Single(stage.Receiver.Posted);
        WriteCertificate(days: 90);
        Assert.True((await stage.UntilAsync("certificate_expires", 2)).IsResolved);

        void WriteCertificate(int days)
        {
            using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=www.example.org", pair, HashAlgorithmName.SHA256);
            var now = DateTimeOffset.UtcNow;
            using var signed = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(days));
            File.WriteAllText(certificate, signed.ExportCertificatePem());
            File.WriteAllText(key, pair.ExportPkcs8PrivateKeyPem());
        }
    }

    private static uint Now(AlertStage stage) => (uint)stage.Time.GetUtcNow().ToUnixTimeSeconds();

    private static Func<ProxySettings, ProxySettings> WithTerms(UserTerms terms) => settings => settings with
    {
        Listeners = [settings.Listeners[0] with { Credentials = [settings.Listeners[0].Credentials[0] with { Terms = terms }] }],
    };
}
