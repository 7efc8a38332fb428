using System.Net;
using Portico.Core.Net;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Memory;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Clients;

public sealed class ShutdownTests : IDisposable
{
    private readonly Stage _stage = new();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Theory]
    [InlineData("silent")]
    [InlineData("half a hello")]
    [InlineData("greeted")]
    [InlineData("connecting")]
    [InlineData("relaying")]
    [InlineData("stalled")]
    [InlineData("quiet")]
    [InlineData("stranger")]
    public void A_stop_ends_a_session_in_every_phase_and_says_so(string phase)
    {
        var client = _stage.Call();
        if (phase == "half a hello") client.Peer.Send(client.Hello.AsSpan(0, 100));
        if (phase == "stranger") client.Peer.Send("GET /"u8);
        if (phase == "quiet") client.Peer.Send([.. client.Hello, 0xff]);
        if (phase == "connecting") _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Silence);
        if (phase is "greeted" or "connecting" or "relaying" or "stalled")
            client.Peer.Send(client.Hello);
        if (phase is "connecting" or "relaying" or "stalled") client.Peer.Send(client.Header);
        _stage.Run();
        if (phase == "stalled")
        {
            client.Peer.ReadsAtOnce = false;
            _stage.LatestDc().Say(new byte[200_000]);
            _stage.Run();
        }

        _stage.Stop();
        Assert.True(client.Peer.IsReleased);
        _stage.AssertClosed("shutdown (operator)");
    }

    [Fact]
    public async Task A_stop_with_patience_ends_when_the_last_session_does()
    {
        var (client, dc) = _stage.Relay();
        var stopped = _stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        _stage.Run();
        Assert.False(_stage.Engine.IsListening);
        Assert.False(stopped.IsCompleted);
        client.Say("still served"u8);
        _stage.Run();
        Assert.Equal("still served"u8.ToArray(), dc.Text);
        client.Peer.Finish();
        dc.Peer.Finish();
        _stage.Run();
        _stage.Stop();
        await stopped;
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public async Task Who_is_silent_hears_fin_at_once_and_who_is_busy_when_it_pauses()
    {
        var (idle, _) = _stage.Relay();
        var (busy, dc) = _stage.Relay();
        _stage.Advance(1.9);
        dc.Say("a part"u8);
        _stage.Advance(0.2);
        var stopped = _stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        _stage.Run();
        Assert.Equal((PeerEnd.Fin, PeerEnd.None), (idle.Peer.End, busy.Peer.End));

        for (var second = 0; second < 10; second++)
        {
            dc.Say("another"u8);
            _stage.Advance(1);
        }

        _stage.AssertEnded("shutdown (operator)"); // the idle one, although it never answered
        Assert.Equal(PeerEnd.None, busy.Peer.End);
        Assert.EndsWith("another", System.Text.Encoding.ASCII.GetString(busy.Text));
        _stage.Advance(1.2);
        Assert.Equal(PeerEnd.Fin, busy.Peer.End);
        busy.Peer.Finish();
        _stage.Run();
        _stage.Stop();
        await stopped;
        _stage.AssertClosed("shutdown (operator)", "shutdown (operator)");
    }

    [Fact]
    public void What_a_client_says_before_it_has_heard_the_fin_goes_to_telegram()
    {
        var (client, dc) = _stage.Relay();
        _stage.Advance(3);
        _ = _stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        _stage.Run();
        client.Say("under way"u8);
        _stage.Run();
        Assert.Equal("under way"u8.ToArray(), dc.Text);
        _stage.Advance(0.5);
        _stage.AssertEnded("shutdown (operator)");
    }

    [Fact]
    public void What_waits_for_a_slow_client_is_a_transfer_however_long_it_pauses()
    {
        var (client, dc) = _stage.Relay();
        client.Peer.ReadsAtOnce = false;
        dc.Say(new byte[200_000]);
        _stage.Run();
        _ = _stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        _stage.Advance(20);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        client.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.Equal(200_000, client.Text.Length);
        _stage.Advance(3);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
    }

    [Theory]
    [InlineData("silent", true)]
    [InlineData("half a hello", true)]
    [InlineData("greeted", true)]
    [InlineData("just come", false)]
    public void Who_has_not_been_let_in_goes_two_seconds_after_it_came(string phase, bool goes)
    {
        var client = _stage.Call();
        if (phase != "silent")
            client.Peer.Send(phase == "greeted" ? client.Hello : client.Hello.AsSpan(0, 100));
        _stage.Run();
        if (goes) _stage.Advance(2.1);
        _ = _stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        _stage.Advance(0.5);
        Assert.Equal(goes, client.Peer.End == PeerEnd.Fin);
        Assert.Equal(goes, client.Peer.IsReleased);
        if (goes) _stage.AssertEnded("shutdown (operator)");
    }

    [Fact]
    public void A_client_that_comes_in_during_a_drain_is_served()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        _ = _stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        _stage.Advance(1);
        Assert.True(client.HasFlight);
        client.Peer.Send(client.Header);
        _stage.Run();
        var dc = _stage.LatestDc();
        client.Say("in time"u8);
        _stage.Advance(1.5);
        Assert.Equal("in time"u8.ToArray(), dc.Text);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        _stage.Advance(1);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
    }

    [Fact]
    public void A_stranger_at_the_cover_gets_fin_when_it_is_silent()
    {
        using var stage = new Stage(change: Stage.WithCover());
        var stranger = stage.CallRaw();
        stranger.Send("GET / HTTP/1.1\r\n\r\n"u8);
        stage.Advance(2.1);
        _ = stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        stage.Run();
        Assert.Equal(PeerEnd.Fin, stranger.End);
        stage.Advance(0.5);
        stage.AssertEnded("shutdown (operator)");
    }

    [Fact]
    public void In_middle_mode_the_silent_hear_fin_and_the_busy_go_on()
    {
        using var middle = new MiddleStage();
        var (idle, _, _) = middle.Rest();
        var (busy, link, id) = middle.Rest();
        middle.Advance(1.9);
        link.Answer(id, new byte[400]);
        middle.Advance(0.2);
        _ = middle.Stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        middle.Run();
        Assert.Equal((PeerEnd.Fin, PeerEnd.None), (idle.Peer.End, busy.Peer.End));
        middle.Advance(2.5);
        Assert.Equal(PeerEnd.Fin, busy.Peer.End);
        middle.Stage.AssertEnded("shutdown (operator)", "shutdown (operator)");
    }

    [Fact]
    public void A_thousand_silent_sessions_hear_fin_in_slices_with_turns_for_others_between_them()
    {
        using var stage = new Stage(isSilent: true);
        var clients = Enumerable.Range(0, 1000).Select(_ => stage.Relay().Client).ToList();
        stage.Advance(3);
        var (most, before) = (0, 0);
        _ = stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        EachTurn.Watch(stage.Loop, _ =>
        {
            var ended = clients.Count(client => client.Peer.End == PeerEnd.Fin);
            (most, before) = (Math.Max(most, ended - before), ended);
            return ended < clients.Count;
        });
        stage.Run();
        Assert.InRange(most, 1, 64);
        stage.Advance(0.5);
        Assert.Equal(0, stage.Proxy.SessionCount);
    }

    [Fact]
    public async Task A_second_stop_without_patience_shortens_the_first()
    {
        var (client, _) = _stage.Relay();
        var stopped = _stage.Proxy.StopAsync(TimeSpan.FromMinutes(5));
        _stage.Run();
        _stage.Stop();
        await stopped;
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        _stage.AssertClosed("shutdown (operator)");
        Assert.True(_stage.Proxy.Completion.IsCompletedSuccessfully);
    }

    [Fact]
    public void An_address_that_cannot_be_had_leaves_nothing_running()
    {
        using var log = new LogProbe();
        using var metrics = new MetricProbe();
        var taken = new IPEndPoint(IPAddress.Loopback, 8443);
        var engine = new MemoryEngine(new ManualTime()) { Taken = taken };
        var free = _stage.Proxy.Settings.Listeners[0];
        var settings = _stage.Proxy.Settings with { Listeners = [free, free with { Name = "second", Address = taken }] };
        Assert.Throws<ListenException>(() => PorticoProxy.Start(settings, engine, log.Factory, metrics));
        Assert.True(engine.Completion.IsCompleted);
    }
}
