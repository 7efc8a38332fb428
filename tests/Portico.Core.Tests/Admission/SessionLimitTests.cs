using Portico.Core.Admission;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Admission;

public class SessionLimitTests
{
    [Fact]
    public void So_many_may_enter_and_no_more_until_one_leaves()
    {
        var limit = new SessionLimit(2);
        var (first, second, refused) = (default(SessionLease), default(SessionLease), default(SessionLease));
        Assert.True(limit.TryEnter(ref first));
        Assert.True(limit.TryEnter(ref second));
        Assert.False(limit.TryEnter(ref refused));
        refused.Dispose(); // took nothing, gives nothing back
        Assert.Equal(2, limit.Count);
        first.Dispose();
        first.Dispose();
        Assert.Equal(1, limit.Count);
        Assert.True(limit.TryEnter(ref refused));
    }

    [Fact]
    public void A_client_over_the_limit_is_treated_as_a_stranger_until_another_has_left()
    {
        using var stage = new Stage(change: settings => settings with { Listeners = [settings.Listeners[0] with { MaxConnections = 1 }] });
        var (first, dc) = stage.Relay();
        var second = stage.Call();
        second.Peer.Send(second.Hello);
        stage.Run();
        Assert.Empty(second.Peer.Take());
        Assert.Equal(PeerEnd.Fin, second.Peer.End);
        second.Peer.Finish();
        stage.Run();
        Assert.Equal(["connection_limit (operator)"], stage.Metrics.Closed);
        Assert.Empty(stage.Metrics.Of("portico.protocol.error"));
        Assert.Equal(1, stage.Listener.Limit.Count);
        first.Peer.Finish();
        dc.Peer.Finish();
        stage.Run();
        stage.Relay();
        Assert.Equal(1, stage.Listener.Limit.Count);
        stage.AssertNoFault();
    }

    [Fact]
    public void Strangers_and_callers_that_have_said_nothing_count_against_no_limit()
    {
        using var stage = new Stage(change: settings => settings with { Listeners = [settings.Listeners[0] with { MaxConnections = 1 }] });
        for (var i = 0; i < 3; i++)
        {
            stage.CallRaw();
            stage.CallRaw().Send("GET / HTTP/1.1\r\n\r\n"u8);
        }

        stage.Run();
        Assert.Equal(0, stage.Listener.Limit.Count);
        stage.Relay();
    }

    [Fact]
    public void A_session_that_fails_at_any_step_gives_its_place_back()
    {
        using var stage = new Stage(change: settings => settings with
        {
            Listeners = [settings.Listeners[0] with { MaxConnections = 1 }],
            Timeouts = settings.Timeouts with { Header = TimeSpan.FromSeconds(1) },
        });
        for (var i = 0; i < 3; i++)
        {
            var client = stage.Call();
            client.Peer.Send(client.Hello);
            stage.Run();
            Assert.Equal(1, stage.Listener.Limit.Count);
            stage.Advance(2);
            Assert.Equal(0, stage.Listener.Limit.Count);
        }
    }
}
