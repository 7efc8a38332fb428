using System.Net;
using System.Text;
using Portico.Core.Admission;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Admission;

/// <summary>What strangers may cost per network: 16 a second that are tried with all secrets, 64 at once.</summary>
public sealed class StrangerLimitsTests : IDisposable
{
    private const int Burst = 64, PerSecond = 16, ManyUsers = 500;

    private const string Home = "192.0.2.1", Elsewhere = "192.0.2.7";

    private readonly List<Stage> _stages = [];

    public void Dispose()
    {
        foreach (var stage in _stages)
        {
            stage.AssertNoFault();
            stage.Dispose();
        }
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, ManyUsers)]
    [InlineData(false, ManyUsers)]
    public void After_a_burst_the_next_stranger_is_not_tried(bool isTls, int users)
    {
        var stage = Of(users);
        Strangers(stage, Burst, isTls);
        Assert.Equal((Burst, 0), Refused(stage));
        Strangers(stage, 1, isTls);
        Assert.Equal((Burst, 1), Refused(stage));
        // Whoever calls: the right secret is not looked for either.
        var client = Greet(stage, new ClientTraits { IsTls = isTls });
        Assert.Empty(client.Peer.Take());
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Equal((Burst, 2), Refused(stage));
    }

    [Fact]
    public void A_stranger_that_is_not_tried_takes_no_turn_of_the_loop()
    {
        var stage = Of(5000);
        var few = TurnsOfStranger(stage);
        Strangers(stage, Burst);
        Assert.InRange(TurnsOfStranger(stage), 0, 5);
        Assert.InRange(few, 60, 100); // 34 slices of trials after the first, two turns for each
    }

    [Fact]
    public void A_bucket_fills_up_again_by_sixteen_a_second_and_to_the_brim()
    {
        var stage = Of();
        Strangers(stage, Burst + 5);
        stage.Advance(1);
        Strangers(stage, PerSecond + 5);
        Assert.Equal((Burst + PerSecond, 10), Refused(stage));
        stage.Advance(100);
        Strangers(stage, Burst + 5);
        Assert.Equal(((2 * Burst) + PerSecond, 15), Refused(stage));
    }

    [Fact]
    public void A_stranger_that_is_not_tried_does_not_pay()
    {
        var stage = Of();
        Strangers(stage, Burst + 500);
        stage.Advance(1.1 / PerSecond);
        Strangers(stage, 2);
        Assert.Equal((Burst + 1, 501), Refused(stage));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, ManyUsers)]
    [InlineData(false, ManyUsers)]
    public void A_thousand_clients_behind_one_address_come_in_at_the_same_instant(bool isTls, int users)
    {
        const int Clients = 1000;
        var stage = Of(users);
        var clients = Enumerable.Range(0, Clients)
            .Select(i => stage.Call(new ClientTraits { IsTls = isTls, Secret = users == 1 ? Stage.Secret : SecretOf(i % users) })).ToList();
        foreach (var client in clients) client.Peer.Send(isTls ? client.Hello : client.Header);
        stage.Run();
        foreach (var client in clients.Where(_ => isTls))
        {
            Assert.True(client.HasFlight);
            client.Peer.Send(client.Header);
        }

        stage.Run();
        Assert.Equal(Clients, stage.Metrics.Observe("portico.connections", "state", "relaying"));
        Assert.Equal((0, 0), Refused(stage));
    }

    [Fact]
    public void Clients_between_strangers_give_back_what_they_took()
    {
        var stage = Of();
        for (var i = 0; i < Burst - 1; i++)
        {
            Strangers(stage, 1);
            stage.Relay();
            stage.Relay();
        }

        Strangers(stage, 2);
        Assert.Equal((Burst, 1), Refused(stage));
    }

    [Fact]
    public void Who_knows_a_secret_and_has_a_wrong_clock_does_not_pay()
    {
        var stage = Of();
        for (var i = 0; i < 2 * Burst; i++) Greet(stage, new ClientTraits { ClockAhead = -5000 });
        Assert.Equal(2 * Burst, stage.Metrics.Sum("portico.protocol.error", "reason", "tls_time"));
        stage.Relay();
    }

    [Fact]
    public void What_needs_no_trial_costs_nothing()
    {
        var stage = Of();
        for (var i = 0; i < 2 * Burst; i++)
        {
            var peer = stage.CallRaw();
            peer.Send("GET / HTTP/1.1\r\n\r\n"u8);
            stage.Run();
        }

        Assert.Equal(0, Refused(stage).Untried);
        stage.Relay();
    }

    [Fact]
    public void What_strangers_overdraw_by_being_tried_at_the_same_time_has_to_flow_in_again()
    {
        const int AtOnce = 100;
        var stage = Of(ManyUsers);
        foreach (var stranger in Enumerable.Range(0, AtOnce).Select(_ => stage.Call(Wrong(true))).ToList())
            stranger.Peer.Send(stranger.Hello);
        stage.Run();
        Assert.Equal((AtOnce, 0), Refused(stage));
        stage.Advance((AtOnce - Burst) / (double)PerSecond);
        Strangers(stage, 1);
        Assert.Equal((AtOnce, 1), Refused(stage));
        stage.Advance(1.1 / PerSecond);
        Strangers(stage, 2);
        Assert.Equal((AtOnce + 1, 2), Refused(stage));
    }

    [Fact]
    public void Who_hangs_up_in_the_middle_of_the_trials_has_paid()
    {
        var stage = Of(5000);
        for (var i = 0; i < Burst; i++)
        {
            var stranger = stage.Call(Wrong(true));
            stranger.Peer.Send(stranger.Hello);
            EachTurn.Watch(
                stage.Loop,
                turn =>
                {
                    if (turn == 5) stranger.Peer.Reset();
                    return turn < 5;
                });
            stage.Run();
        }

        Assert.Equal((0, 0), Refused(stage));
        Strangers(stage, 1);
        Assert.Equal((0, 1), Refused(stage));
    }

    [Theory]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    public void A_network_is_all_of_ipv4_and_half_of_ipv6(string one, string another, bool isSame)
    {
        var stage = Of();
        From(stage, one);
        Strangers(stage, Burst);
        From(stage, another);
        Strangers(stage, 1);
        Assert.Equal(isSame ? (Burst, 1) : (Burst + 1, 0), Refused(stage));
    }

    [Fact]
    public void A_flood_from_one_network_keeps_nobody_out_elsewhere()
    {
        var stage = Of();
        Strangers(stage, 1000);
        From(stage, Elsewhere);
        stage.Relay();
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 1)]
    [InlineData(true, ManyUsers)]
    [InlineData(false, ManyUsers)]
    public void Strangers_do_not_keep_out_who_was_let_in_behind_the_same_address_before(bool isTls, int users)
    {
        var stage = Of(users);
        stage.Relay(new ClientTraits { IsTls = isTls });
        for (var minute = 0; minute < 30; minute++)
        {
            Strangers(stage, 100, isTls);
            stage.Relay(new ClientTraits { IsTls = isTls });
            stage.Advance(60);
        }
    }

    [Fact]
    public void A_client_is_remembered_for_ten_minutes_with_its_own_secret_and_network()
    {
        var stage = Of(ManyUsers);
        stage.Relay();
        Strangers(stage, Burst);
        Assert.False(Greet(stage, new ClientTraits { Secret = SecretOf(1) }).HasFlight);
        From(stage, Elsewhere);
        Strangers(stage, Burst);
        Assert.False(Greet(stage, new ClientTraits()).HasFlight);

        From(stage, Home);
        stage.Advance(595);
        Strangers(stage, Burst);
        var client = Greet(stage, new ClientTraits());
        Assert.True(client.HasFlight); // and from here on, ten minutes more
        stage.Advance(605);
        Strangers(stage, Burst);
        Assert.False(Greet(stage, new ClientTraits()).HasFlight);
    }

    [Fact]
    public void A_replay_is_no_client_that_was_let_in()
    {
        var stage = Of();
        var (client, _) = stage.Relay();
        From(stage, Elsewhere);
        var replay = stage.CallRaw();
        replay.Send(client.Hello);
        stage.Run();
        Assert.Equal(1, stage.Metrics.Sum("portico.protocol.error", "reason", "replay_session_detected"));
        Strangers(stage, Burst);
        Assert.False(Greet(stage, new ClientTraits()).HasFlight);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    public void Forwarders_on_this_machine_are_not_counted(string address)
    {
        var stage = Of();
        From(stage, address);
        Strangers(stage, 2 * Burst);
        Assert.Equal((2 * Burst, 0), Refused(stage));
        var counting = Of(change: settings => settings with { Limits = settings.Limits with { CountsLoopback = true } });
        From(counting, address);
        Strangers(counting, 2 * Burst);
        Assert.Equal((Burst, Burst), Refused(counting));
    }

    [Theory]
    [InlineData("PROXY UNKNOWN\r\n", false)]
    [InlineData("PROXY TCP4 198.51.100.3 192.0.2.10 50000 443\r\n", true)]
    public void Behind_a_balancer_the_network_is_that_of_the_header_and_without_one_nobodys(string header, bool isCounted)
    {
        var stage = Of(change: settings => settings with
        {
            Listeners = [settings.Listeners[0] with { TrustedBalancers = [IPNetwork.Parse("192.0.2.0/24")] }],
        });
        for (var i = 0; i <= Burst; i++)
        {
            var stranger = stage.Call(Wrong(true));
            stranger.Peer.Send([.. Encoding.ASCII.GetBytes(header), .. stranger.Hello]);
            stage.Run();
            stranger.Peer.Finish();
        }

        stage.Run();
        Assert.Equal(isCounted ? (Burst, 1) : (Burst + 1, 0), Refused(stage));
    }

    [Fact]
    public void Zero_means_any_number()
    {
        var stage = Of(change: settings => settings with { Limits = settings.Limits with { StrangersPerSecond = 0 } });
        Strangers(stage, 500);
        Assert.Equal((500, 0), Refused(stage));
        Assert.Equal(0, stage.Metrics.Observe("portico.stranger.networks"));
    }

    [Theory]
    [InlineData(1, 16, 64, 64, 16)]
    [InlineData(2, 16, 64, 32, 8)]
    [InlineData(4, 16, 64, 24, 4)]
    [InlineData(64, 16, 64, 24, 0.25)]
    [InlineData(3, 1000, 1000, 334, 333.3)]
    public void Each_loop_has_its_share_and_a_burst_of_at_least_24(int loops, int perSecond, int burst, int expected, double rate)
    {
        var stage = Of();
        var limits = new StrangerLimits(new LimitSettings { StrangersPerSecond = perSecond, StrangerBurst = burst }, stage.Loop, loops);
        var network = ClientNetwork.Of(IPAddress.Parse(Home));
        Assert.Equal(expected, UntilEmpty());
        stage.Advance(4);
        Assert.Equal(Math.Min(expected, (int)(4 * rate)), UntilEmpty());

        int UntilEmpty()
        {
            for (var paid = 0; ; paid++, limits.Pay(network))
            {
                if (limits.ExtentFor(network) != TrialExtent.All) return paid;
            }
        }
    }

    [Fact]
    public void A_hundred_thousand_networks_leave_no_garbage_and_do_not_wash_away_who_has_failed_most()
    {
        var stage = Of();
        var limits = new StrangerLimits(new LimitSettings(), stage.Loop, loops: 1);
        var (worst, home) = (new ClientNetwork(1, 32), new ClientNetwork(2, 32));
        limits.Remember(home);
        for (var i = 0; i < Burst; i++)
        {
            limits.Pay(worst);
            limits.Pay(home);
        }

        Flood(); // what the runtime allocates to make code faster comes once
        var before = GC.GetAllocatedBytesForCurrentThread();
        Flood();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 50_000); // not half a byte for each network
        Assert.Equal((TrialExtent.None, TrialExtent.OwnNetwork), (limits.ExtentFor(worst), limits.ExtentFor(home)));
        Assert.Equal(2, limits.Exhausted);

        void Flood()
        {
            for (var i = 0; i < 100_000; i++) limits.Pay(new ClientNetwork((ulong)(1000 + i), 64));
        }
    }

    [Fact]
    public void What_is_overdrawn_flows_in_again_within_a_minute_and_a_burst()
    {
        var stage = Of();
        var limits = new StrangerLimits(new LimitSettings { UnauthenticatedPerAddress = 0 }, stage.Loop, loops: 1);
        var network = ClientNetwork.Of(IPAddress.Parse(Home));
        for (var i = 0; i < 1_000_000; i++) limits.Pay(network);
        stage.Advance(60);
        Assert.Equal(TrialExtent.None, limits.ExtentFor(network));
        stage.Advance(0.1);
        Assert.Equal(TrialExtent.All, limits.ExtentFor(network));
    }

    [Fact]
    public void How_many_networks_are_not_tried_is_shown_and_who_is_not_is_counted()
    {
        var stage = Of();
        Strangers(stage, Burst - 1);
        Assert.Equal(0, stage.Metrics.Observe("portico.stranger.networks"));
        Strangers(stage, 1);
        Assert.Equal(1, stage.Metrics.Observe("portico.stranger.networks"));
        From(stage, Elsewhere);
        Strangers(stage, Burst + 3);
        Assert.Equal(2, stage.Metrics.Observe("portico.stranger.networks"));
        Assert.Equal((2 * Burst, 3), Refused(stage));
        Assert.Equal(3, stage.Metrics.Sum("portico.connections.closed", "reason", "address_rate"));
        stage.Advance(1);
        Assert.Equal(0, stage.Metrics.Observe("portico.stranger.networks"));
    }

    [Theory]
    [InlineData(true, CoverMode.Off, ResetOnClose.Off)]
    [InlineData(false, CoverMode.Off, ResetOnClose.Off)]
    [InlineData(true, CoverMode.Off, ResetOnClose.HandshakeError)]
    [InlineData(false, CoverMode.Off, ResetOnClose.Always)]
    [InlineData(true, CoverMode.Fixed, ResetOnClose.Off)]
    [InlineData(false, CoverMode.Fixed, ResetOnClose.Off)]
    [InlineData(true, CoverMode.Fixed, ResetOnClose.Always)]
    public void A_stranger_sees_the_same_with_the_limit_and_without(bool isTls, CoverMode mode, ResetOnClose reset)
    {
        Func<ProxySettings, ProxySettings> change = settings =>
            (mode == CoverMode.Fixed ? Stage.WithCover()(settings) : settings) with { ResetOnClose = reset };
        var limited = Of(change: change);
        var free = Of(change: settings => change(settings) with { Limits = settings.Limits with { StrangersPerSecond = 0 } });
        Strangers(limited, Burst, isTls);
        Strangers(free, Burst, isTls);
        foreach (var cut in new[] { 0, 30 })
        {
            var stranger = limited.Call(Wrong(isTls));
            byte[] bytes = [.. isTls ? stranger.Hello : stranger.Header, .. "and more"u8];
            var seen = Visit(free, bytes, cut);
            Assert.Equal(seen, Visit(limited, bytes, cut));
            var shown = mode == CoverMode.Fixed ? "the site" : reset == ResetOnClose.Off ? "Fin" : "Reset";
            Assert.Contains(shown, seen, StringComparison.Ordinal);
        }

        Assert.Equal((Burst + 2, 0), Refused(free));
        Assert.Equal((Burst, 2), Refused(limited));
    }

    /// <summary>All that is visible of a visit, from both sides, step by step.</summary>
    private static string Visit(Stage stage, byte[] bytes, int cut)
    {
        var covers = stage.Covers.Count();
        var peer = stage.CallRaw();
        var log = new StringBuilder();
        foreach (var act in new Action[]
        {
            () => peer.Send(bytes.AsSpan(0, cut)),
            () => peer.Send(bytes.AsSpan(cut)),
            () => stage.Covers.Skip(covers).LastOrDefault()?.Send("the site"u8),
            () => peer.Send("thanks"u8),
            () => stage.Covers.Skip(covers).LastOrDefault()?.Finish(),
            peer.Finish,
        })
        {
            act();
            stage.Run();
            var cover = stage.Covers.Skip(covers).LastOrDefault();
            log.Append(Encoding.Latin1.GetString(peer.Take())).Append(peer.End).Append(peer.Unread)
                .Append(Encoding.Latin1.GetString(cover?.Take() ?? [])).Append(cover?.End).Append('\n');
        }

        return log.ToString();
    }

    private static int TurnsOfStranger(Stage stage)
    {
        var stranger = stage.Call(Wrong(true));
        stranger.Peer.Send(stranger.Hello);
        var turns = EachTurn.Watch(stage.Loop, _ => stranger.Peer.End == PeerEnd.None);
        stage.Run();
        return turns.Turns;
    }

    private static StageClient Greet(Stage stage, ClientTraits traits)
    {
        var client = stage.Call(traits);
        client.Peer.Send(traits.IsTls ? client.Hello : client.Header);
        stage.Run();
        return client;
    }

    /// <summary>Strangers come one after the other, and leave.</summary>
    private static void Strangers(Stage stage, int count, bool isTls = true)
    {
        for (var i = 0; i < count; i++)
        {
            Greet(stage, Wrong(isTls)).Peer.Finish();
            stage.Run();
        }
    }

    private static (double Tried, double Untried) Refused(Stage stage)
    {
        double Sum(string reason) => stage.Metrics.Sum("portico.protocol.error", "reason", reason);
        return (Sum("tls_invalid_digest") + Sum("unknown_protocol"), Sum("address_rate"));
    }

    private static ClientTraits Wrong(bool isTls) => new() { IsTls = isTls, Secret = Stage.WrongSecret };

    private static void From(Stage stage, string address) =>
        stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse(address), 50000);

    private static ProxySecret SecretOf(int user) =>
        user == 0 ? Stage.Secret : ProxySecret.Create(Encoding.ASCII.GetBytes($"user {user:d11}"));

    private Stage Of(int users = 1, Func<ProxySettings, ProxySettings>? change = null)
    {
        var stage = new Stage(
            ClientProtocols.FakeTls | ClientProtocols.Secure,
            change: settings =>
            {
                settings = settings with
                {
                    Listeners = [settings.Listeners[0] with
                    {
                        Credentials = [.. Enumerable.Range(0, users).Select(user => new Credential($"user{user}", SecretOf(user)))],
                    }],
                };
                return change is null ? settings : change(settings);
            });
        _stages.Add(stage);
        return stage;
    }
}
