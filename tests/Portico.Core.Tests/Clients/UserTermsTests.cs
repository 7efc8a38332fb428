using System.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Clients;

/// <summary>What an operator laid down for a user, as clients and data centres meet it.</summary>
public sealed class UserTermsTests
{
    [Fact]
    public void A_switched_off_user_is_known_and_refused_like_by_a_rule()
    {
        using var stage = StageWith(new UserTerms { IsEnabled = false });
        AssertRefused(stage, "user_disabled (operator)");
    }

    [Fact]
    public void A_user_whose_time_is_over_is_refused()
    {
        using var stage = StageWith(new UserTerms { ExpiresAt = DateTimeOffset.FromUnixTimeSeconds(1) });
        AssertRefused(stage, "user_expired (operator)");
    }

    [Fact]
    public void Sessions_of_a_user_that_is_switched_off_end_and_the_user_comes_in_again_when_switched_on()
    {
        using var stage = StageWith(UserTerms.Unlimited);
        stage.Relay();
        Reload(stage, new UserTerms { IsEnabled = false });
        Assert.Equal(["user_disabled (operator)"], stage.Metrics.Closed);
        Reload(stage, UserTerms.Unlimited);
        stage.Relay();
    }

    [Fact]
    public void One_session_more_than_a_user_may_have_is_refused_until_another_has_left()
    {
        using var stage = StageWith(new UserTerms { MaxConnections = 1 });
        var (first, dc) = stage.Relay();
        AssertRefused(stage, "user_connections (operator)");
        first.Peer.Finish();
        dc.Peer.Finish();
        stage.Run();
        stage.Relay();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_session_ends_when_its_users_bytes_are_used_up_and_little_more_than_those_were_moved(bool isDownload)
    {
        using var stage = StageWith(new UserTerms { Quota = new UserQuota(1_000_000, QuotaPeriod.None) });
        var (client, dc) = stage.Relay();
        for (var i = 0; i < 100 && !stage.Metrics.Closed.Any(); i++)
        {
            if (isDownload) dc.Peer.Send(new byte[50_000]);
            else client.Say(new byte[50_000]);
            stage.Run();
        }

        Assert.Equal(["user_quota (operator)"], stage.Metrics.Closed);
        Assert.InRange(stage.Listener.Users.All.First().Used, 1_000_000, 1_070_000);
        AssertRefused(stage, "user_quota (operator)", "user_quota (operator)");
    }

    [Fact]
    public void A_user_of_two_networks_may_change_the_silent_one_for_a_third()
    {
        using var stage = StageWith(new UserTerms { MaxNetworks = 2 });
        From(stage, "198.51.100.1");
        stage.Relay();
        stage.Relay();
        From(stage, "198.51.100.2");
        stage.Relay();
        From(stage, "2001:db8::1");
        AssertRefused(stage, "user_networks (operator)");
        stage.Advance(31);

        stage.Relay();

        // Both sessions of the first network, and the one that was refused before.
        Assert.Equal(3, stage.Metrics.Closed.Count(reason => reason == "user_networks (operator)"));
        From(stage, "2001:db8::2"); // of the same 64 bits
        stage.Relay();
        stage.AssertNoFault();
    }

    [Fact]
    public void Networks_that_were_there_before_they_were_limited_count_and_go_by_the_same_rule()
    {
        using var stage = StageWith(UserTerms.Unlimited);
        From(stage, "198.51.100.1");
        var (first, firstDc) = stage.Relay();
        From(stage, "198.51.100.2");
        stage.Relay();
        Reload(stage, new UserTerms { MaxNetworks = 2 });
        Reload(stage, new UserTerms { MaxNetworks = 2, Note = "once more" });
        Assert.Empty(stage.Metrics.Closed);
        From(stage, "198.51.100.3");
        AssertRefused(stage, "user_networks (operator)");

        first.Peer.Finish();
        firstDc.Peer.Finish();
        stage.Run();
        stage.Relay();
        From(stage, "198.51.100.4");
        AssertRefused(stage, "user_networks (operator)", "client_closed (client)", "user_networks (operator)");
        stage.AssertNoFault();
    }

    [Fact]
    public void Bytes_are_counted_from_the_flight_on_and_none_of_strangers()
    {
        using var stage = StageWith(UserTerms.Unlimited);
        stage.CallRaw().Send("GET / HTTP/1.1\r\n\r\n"u8);
        var (client, dc) = stage.Relay();
        var user = stage.Listener.Users.All.First();
        var before = user.Received + user.Sent;
        dc.Peer.Send(new byte[1000]);
        client.Say(new byte[500]);
        stage.Run();
        Assert.InRange(user.Received + user.Sent - before, 1500, 1600); // and the headers of records
        Assert.InRange(before, 0, 600);
    }

    [Fact]
    public void A_rate_holds_a_download_back_and_loses_nothing()
    {
        using var stage = StageWith(new UserTerms { DownRate = 100_000 });
        var (client, dc) = stage.Relay();
        dc.Peer.Send(new byte[400_000]);
        stage.Run();
        var user = stage.Listener.Users.All.First();
        Assert.InRange(user.Sent, 1, 60_000);
        for (var i = 0; i < 20; i++) stage.Advance(0.1);
        Assert.InRange(user.Sent, 180_000, 270_000);
        for (var i = 0; i < 50; i++) stage.Advance(0.1);
        Assert.InRange(user.Sent, 400_000, 402_000);
        Assert.Empty(stage.Metrics.Closed);
        Assert.True(client.HasFlight);
    }

    [Fact]
    public void Sessions_of_a_slow_user_take_turns()
    {
        using var stage = StageWith(new UserTerms { DownRate = 1_000_000 });
        var sessions = Enumerable.Range(0, 4).Select(_ => stage.Relay()).ToList();
        for (var i = 0; i < 400; i++)
        {
            foreach (var (_, dc) in sessions) dc.Peer.Send(new byte[10_000]);
            stage.Run();
            stage.Advance(0.01);
            foreach (var (client, _) in sessions) client.Peer.Take();
        }

        var sent = SessionDirectory.Of(stage.Loop).Select(session => session.Sent).ToList();
        Assert.Equal(4, sent.Count);
        Assert.InRange(sent.Sum(), 3_600_000, 4_400_000);
        Assert.All(sent, bytes => Assert.InRange(bytes, 800_000, 1_200_000));
    }

    [Fact]
    public void A_rate_holds_an_upload_back()
    {
        using var stage = StageWith(new UserTerms { UpRate = 100_000 });
        var (client, dc) = stage.Relay();
        for (var i = 0; i < 8; i++) client.Say(new byte[50_000]);
        stage.Run();
        Assert.InRange(stage.Listener.Users.All.First().Received, 1, 70_000);
        for (var i = 0; i < 70; i++) stage.Advance(0.1);
        Assert.InRange(stage.Listener.Users.All.First().Received, 400_000, 402_000);
    }

    private static Stage StageWith(UserTerms terms) => new(change: settings => With(settings, terms));

    private static ProxySettings With(ProxySettings settings, UserTerms terms) => settings with
    {
        Listeners = [settings.Listeners[0] with { Credentials = [new Credential("default", Stage.Secret) { Terms = terms }] }],
    };

    private static void Reload(Stage stage, UserTerms terms)
    {
        stage.Proxy.ReloadAsync(With(stage.Proxy.Settings, terms)).GetAwaiter().GetResult();
        stage.Run();
    }

    private static void From(Stage stage, string address) =>
        stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse(address), 50000);

    private static void AssertRefused(Stage stage, params string[] closed)
    {
        var client = stage.Call();
        client.Peer.Send(client.Hello);
        stage.Run();
        Assert.Empty(client.Peer.Take());
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        client.Peer.Finish();
        stage.Run();
        Assert.Equal(closed, stage.Metrics.Closed);
        Assert.Empty(stage.Metrics.Of("portico.protocol.error"));
    }
}
