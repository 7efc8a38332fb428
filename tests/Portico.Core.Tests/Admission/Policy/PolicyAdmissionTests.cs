using System.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Admission.Policy;

/// <summary>The rules as clients meet them.</summary>
public class PolicyAdmissionTests
{
    private static readonly IPAddress Site = IPAddress.Parse("8.8.4.4");

    [Fact]
    public void Where_a_client_is_is_asked_when_it_comes_and_not_again()
    {
        using var stage = Start(Policies.Of(Policies.Most(9, "client_ipv4")));
        var before = stage.CallRaw();
        var (client, _) = stage.Relay();

        Assert.Equal(before.Channel!.AddressQuestions, client.Peer.Channel!.AddressQuestions);
        Assert.Equal(1, Counted(stage));
    }

    [Fact]
    public void So_many_clients_of_an_address_come_in_and_the_next_one_when_one_of_them_has_left()
    {
        using var stage = Start(Policies.Of(Policies.Most(2, "port_name", "client_ipv4")));
        var (first, dc) = stage.Relay();
        Assert.Equal(1, Counted(stage));
        stage.Relay();
        Assert.Equal(2, Counted(stage));

        var third = Enter(stage);
        AssertSeenOff(stage, third);
        Assert.Equal(2, Counted(stage));
        Assert.Equal(1, stage.Metrics.Sum("portico.protocol.error", "reason", "policy_error"));
        Assert.Equal(1, stage.Metrics.Sum("portico.policy.refused", "rule", 0));
        Assert.Equal(1, stage.Metrics.Sum("portico.policy.refused", "kind", "maxConnections"));

        first.Peer.Finish();
        dc.Peer.Finish();
        stage.Run();
        Assert.Equal(1, Counted(stage));
        stage.Relay();
        Assert.Equal(2, Counted(stage));
        Assert.Equal("policy_error (client)", stage.Metrics.Closed.First());
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void Only_clients_that_name_a_host_of_the_table_come_in()
    {
        using var stage = Start(Policies.Of(
            [Policies.InTable("tls_domain", "customers")], new() { ["customers"] = ["Example.com"] }));
        stage.Relay();
        stage.Relay(new ClientTraits { Domain = "EXAMPLE.com"u8.ToArray() });
        AssertSeenOff(stage, Enter(stage, new ClientTraits { Domain = "not-example.com"u8.ToArray() }));
        AssertSeenOff(stage, Enter(stage, new ClientTraits { Domain = "www.example.com"u8.ToArray() }));
        Assert.Equal(2, stage.Metrics.Sum("portico.protocol.error", "reason", "policy_error"));
        Assert.Equal(2, stage.Metrics.Sum("portico.policy.refused", "kind", "inTable"));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_client_without_tls_names_no_host_and_passes_a_rule_about_hosts()
    {
        using var stage = Start(Policies.Of(Policies.InTable("tls_domain", "customers"), Policies.Most(1, "tls_domain")));
        for (var i = 0; i < 3; i++) stage.Relay(new ClientTraits { IsTls = false });
        AssertSeenOff(stage, Enter(stage));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_client_of_a_banned_address_is_refused_also_where_it_looks_like_ipv6()
    {
        using var stage = Start(Policies.Of(
            [Policies.NotInTable("client_ipv4_subnet/24", "banned")], new() { ["banned"] = ["203.0.113.77"] }));
        foreach (var address in new[] { "203.0.113.1", "::ffff:203.0.113.255" })
        {
            stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse(address), 50000);
            AssertSeenOff(stage, Enter(stage));
        }

        foreach (var address in new[] { "203.0.112.1", "2001:db8::1" })
        {
            stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse(address), 50000);
            stage.Relay();
        }

        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void Behind_a_balancer_the_rules_are_about_the_client_that_its_header_names()
    {
        var policy = Policies.Of([Policies.NotInTable("client_ipv4", "banned")], new() { ["banned"] = ["203.0.113.7"] });
        using var stage = new Stage(change: settings => settings with
        {
            Policy = policy,
            Listeners = [settings.Listeners[0] with { TrustedBalancers = [IPNetwork.Parse("192.0.2.1/32")] }],
        });
        var banned = stage.Call();
        banned.Peer.Send([.. "PROXY TCP4 203.0.113.7 198.51.100.1 40000 443\r\n"u8, .. banned.Hello]);
        stage.Run();
        AssertSeenOff(stage, banned);
        var other = stage.Call();
        other.Peer.Send([.. "PROXY TCP4 203.0.113.8 198.51.100.1 40000 443\r\n"u8, .. other.Hello]);
        stage.Run();
        Assert.True(other.HasFlight);
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_host_name_that_is_no_text_is_refused_like_any_other_and_faults_nothing()
    {
        using var stage = Start(Policies.Of([Policies.InTable("tls_domain", "customers")], new() { ["customers"] = ["example.com"] }));
        AssertSeenOff(stage, Enter(stage, new ClientTraits { Domain = [0xff, 0xc0, 0x80, (byte)'A', 0xfe] }));
        Assert.Equal(1, stage.Metrics.Sum("portico.protocol.error", "reason", "policy_error"));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_host_name_that_is_no_text_is_counted_and_shown_by_its_bytes()
    {
        using var stage = Start(Policies.Of(Policies.Most(1, "tls_domain")));
        stage.Relay(new ClientTraits { Domain = [0xff, (byte)'A', (byte)'\\'] });
        AssertSeenOff(stage, Enter(stage, new ClientTraits { Domain = [0xff, (byte)'a', (byte)'\\'] }));
        Assert.Equal(@"\xffa\x5c", Assert.Single(Assert.Single(stage.Proxy.Services.Policy.Snapshot()[0].Largest).Values));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_client_that_a_later_rule_refuses_is_counted_by_no_earlier_one()
    {
        using var stage = Start(Policies.Of(
            Policies.Most(2, "client_ipv4"), Policies.Most(5, "port_name"), Policies.InTable("tls_domain", "nobody")));
        for (var i = 0; i < 4; i++) Enter(stage);
        Assert.Equal(4, stage.Metrics.Sum("portico.policy.refused", "rule", 2));
        Assert.All(stage.Proxy.Services.Policy.Snapshot(), rule => Assert.Equal(0, rule.Tuples));
    }

    [Fact]
    public void A_client_whose_header_behind_the_hello_is_wrong_gives_back_what_it_counted()
    {
        using var stage = Start(Policies.Of(Policies.Most(1, "client_ipv4")));
        for (var i = 0; i < 3; i++)
        {
            var client = stage.Call(new ClientTraits { Tag = 0x12345678 });
            client.Peer.Send([.. client.Hello, .. client.Header]); // in one read
            stage.Run();
            client.Peer.Finish();
            stage.Run();
        }

        Assert.Equal(Enumerable.Repeat("unknown_protocol (client)", 3), stage.Metrics.Closed);
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_client_that_was_there_before_the_rules_changed_gives_back_what_it_counted_by_the_old_ones()
    {
        using var stage = Start(Policies.Of(Policies.Most(5, "client_ipv4"), Policies.Most(5, "port_name")));
        var (client, dc) = stage.Relay();
        var before = stage.Proxy.Services.Policy.Rules!;
        stage.Proxy.Services.Policy.Replace(Policies.Of(Policies.Most(1, "tls_domain"), Policies.Most(1, "port_name")));

        // A rule that was there before goes on counting, by its new limit; a new one has counted nobody.
        AssertSeenOff(stage, Enter(stage));
        Assert.Equal([0, 1], stage.Proxy.Services.Policy.Snapshot().Select(rule => rule.Tuples));
        client.Peer.Finish();
        dc.Peer.Finish();
        stage.Run();
        Assert.All(before.All, rule => Assert.Equal(0, rule.Tally.Counters.Tuples));
        stage.Relay();
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_client_that_is_gone_before_our_flight_gives_back_what_it_counted()
    {
        using var stage = Start(Policies.Of(Policies.Most(1, "port_name")));
        for (var i = 0; i < 3; i++)
        {
            var client = stage.Call();
            client.Peer.Send(client.Hello);
            client.Peer.Reset(); // the hello can still be read, and nothing can be sent
            stage.Run();
        }

        Assert.Equal(Enumerable.Repeat("client_reset (client)", 3), stage.Metrics.Closed);
        Assert.Equal(0, stage.Metrics.Sum("portico.protocol.error", "reason", "policy_error"));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_client_for_whom_the_listener_is_full_is_counted_by_no_rule()
    {
        using var stage = new Stage(change: settings => settings with
        {
            Policy = Policies.Of(Policies.Most(2, "client_ipv4")),
            Listeners = [settings.Listeners[0] with { MaxConnections = 1 }],
        });
        stage.Relay();
        Enter(stage);
        Assert.Equal(1, stage.Metrics.Sum("portico.connections.over.limit", "listener", "main"));
        Assert.Equal(1, Counted(stage));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void Two_limits_on_the_same_keys_count_each_client_once()
    {
        using var stage = Start(Policies.Of(Policies.Most(2, "client_ipv4"), Policies.Most(3, "client_ipv4")));
        stage.Relay();
        stage.Relay();
        Assert.Equal([2, 2], stage.Proxy.Services.Policy.Snapshot().Select(rule => Assert.Single(rule.Largest).Count));
        AssertSeenOff(stage, Enter(stage));
        Assert.Equal(1, stage.Metrics.Sum("portico.policy.refused", "rule", 0));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_replay_is_told_as_one_and_asked_by_no_rule()
    {
        using var stage = Start(Policies.Of(Policies.Most(1, "client_ipv4")));
        var (client, _) = stage.Relay();
        var again = stage.CallRaw();
        again.Send(client.Hello);
        stage.Run();
        Assert.Equal(1, stage.Metrics.Sum("portico.protocol.error", "reason", "replay_session_detected"));
        Assert.Equal(0, stage.Metrics.Sum("portico.policy.refused", "rule", 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_refused_client_is_at_the_fixed_cover_unless_it_is_to_be_closed(bool isClosed)
    {
        var withCover = Stage.WithCover(cover => cover with { ClosePolicyRefused = isClosed });
        var policy = Policies.Of(Policies.InTable("tls_domain", "nobody"));
        using var stage = new Stage(change: settings => withCover(settings) with { Policy = policy });
        var client = Enter(stage);
        if (isClosed)
        {
            AssertSeenOff(stage, client);
            Assert.Empty(stage.Covers);
        }
        else
        {
            var cover = stage.Covers.Single();
            Assert.Equal(client.Hello, cover.Take());
            cover.Send("the site"u8);
            stage.Run();
            Assert.Equal("the site"u8.ToArray(), client.Peer.Take());
        }

        Assert.Equal(1, stage.Metrics.Sum("portico.protocol.error", "reason", "policy_error"));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_stranger_whose_name_the_tables_refuse_is_not_connected_to_its_site()
    {
        var asked = new List<string>();
        using var stage = WithNames(
            Policies.Of([Policies.NotInTable("tls_domain", "bad")], new() { ["bad"] = ["bad.example"] }), asked);
        var refused = Enter(stage, new ClientTraits { Secret = Stage.WrongSecret, Domain = "Bad.example"u8.ToArray() });
        AssertSeenOff(stage, refused);
        Assert.Empty(stage.Loop.Connects);
        Assert.Empty(asked);
        Assert.Equal(1, stage.Metrics.Sum("portico.cover", "result", "policy"));
        Assert.Equal(0, stage.Metrics.Sum("portico.policy.refused", "rule", 0));

        var other = Enter(stage, new ClientTraits { Secret = Stage.WrongSecret, Domain = "good.example"u8.ToArray() });
        Assert.Equal(other.Hello, stage.Loop.Connects.Single().Peer.Take());
        Assert.Equal(["good.example"], asked);
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_client_refused_for_its_name_sees_no_site_of_that_name_and_one_refused_for_its_address_does()
    {
        var policy = Policies.Of(
            [Policies.InTable("tls_domain", "ours"), Policies.NotInTable("client_ipv4", "banned"), Policies.Most(1, "tls_domain")],
            new() { ["ours"] = ["example.com"], ["banned"] = ["203.0.113.7"] });
        using var stage = WithNames(policy, []);
        AssertSeenOff(stage, Enter(stage, new ClientTraits { Domain = "other.example"u8.ToArray() }));
        Assert.Empty(stage.Loop.Connects);

        stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse("203.0.113.7"), 50000);
        var banned = Enter(stage);
        Assert.Equal(banned.Hello, stage.Loop.Connects.Single().Peer.Take());

        // A limit says nothing of the name: neither this client nor a stranger uses it up.
        stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse("203.0.113.8"), 50000);
        stage.Relay();
        var second = Enter(stage);
        Assert.Equal(second.Hello, stage.Loop.Connects[^1].Peer.Take());
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_table_that_is_changed_counts_for_the_next_client()
    {
        using var stage = Start(Policies.Of([Policies.InTable("tls_domain", "customers")], new() { ["customers"] = [] }));
        AssertSeenOff(stage, Enter(stage));
        Assert.Equal(1, stage.Proxy.Services.Policy.Tables.Add("customers", PolicyKey.TlsDomain, ["example.com"]).Changed);
        stage.Relay();
        Assert.Equal(1, stage.Proxy.Services.Policy.Tables.Empty("customers").Changed);
        AssertSeenOff(stage, Enter(stage));
        AssertNothingIsLeft(stage);
    }

    [Fact]
    public void A_hello_in_several_records_is_known_by_its_name_too()
    {
        using var stage = Start(Policies.Of([Policies.InTable("tls_domain", "customers")], new() { ["customers"] = ["example.com"] }));
        var client = stage.Call();
        client.Peer.Send(HelloBytes.Fragment(client.Hello, [100, 30, 7]));
        stage.Run();
        Assert.Equal(0, stage.Metrics.Sum("portico.protocol.error", "reason", "policy_error"));
        Assert.NotEmpty(client.Peer.Take());
        AssertNothingIsLeft(stage);
    }

    private static Stage Start(PolicySettings policy) =>
        new(ClientProtocols.FakeTls | ClientProtocols.Secure, change: Policies.With(policy));

    private static Stage WithNames(PolicySettings policy, List<string> asked) => new(
        change: settings => settings with { Policy = policy, Cover = new CoverSettings { Mode = CoverMode.Sni } },
        resolve: name =>
        {
            asked.Add(name);
            return Task.FromResult<IPAddress[]>([Site]);
        });

    private static StageClient Enter(Stage stage, ClientTraits? traits = null)
    {
        var client = stage.Call(traits);
        client.Peer.Send(client.Hello);
        stage.Run();
        return client;
    }

    // Closed without a byte, as who knows no secret is where there is no cover.
    private static void AssertSeenOff(Stage stage, StageClient client)
    {
        Assert.Empty(client.Peer.Take());
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        client.Peer.Finish();
        stage.Run();
    }

    private static int Counted(Stage stage) => Assert.Single(Assert.Single(stage.Proxy.Services.Policy.Snapshot()).Largest).Count;

    private static void AssertNothingIsLeft(Stage stage)
    {
        stage.AssertNoFault();
        stage.Stop();
        stage.AssertNothingLeft();
        Assert.All(stage.Proxy.Services.Policy.Snapshot(), rule => Assert.Equal(0, rule.Tuples));
    }
}
