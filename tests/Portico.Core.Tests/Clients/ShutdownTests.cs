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
