using System.Net;
using System.Text;
using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Clients;

/// <summary>How far a client came that may have been ours: what an operator sees when a network blocks clients on the way.</summary>
public sealed class EarlyEndTests : IDisposable
{
    private readonly Stage _stage = new();

    [Fact]
    public void A_connection_without_a_byte_is_told_from_others()
    {
        var peer = _stage.CallRaw();
        _stage.Run();
        peer.Finish();
        AssertStage("no_bytes", "client_closed (client)");
    }

    [Fact]
    public void A_connection_that_stays_silent_until_the_deadline_is_one_without_a_byte()
    {
        _stage.CallRaw();
        _stage.Run();
        _stage.Advance(11);
        AssertStage("no_bytes", "handshake_timeout (client)");
    }

    [Fact]
    public void A_hello_that_breaks_off_is_told_from_others()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, 300));
        _stage.Run();
        client.Peer.Reset();
        AssertStage("partial_hello", "client_reset (client)");
    }

    [Fact]
    public void A_client_that_says_nothing_after_our_flight_is_told_from_others()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        client.Peer.Finish();
        AssertStage("silent_after_flight", "client_closed (client)");
    }

    [Fact]
    public void A_header_that_breaks_off_is_told_from_others()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        client.Peer.Send(client.Header.AsSpan(0, 30));
        _stage.Run();
        client.Peer.Finish();
        AssertStage("partial_header", "client_closed (client)");
    }

    [Fact]
    public void Strangers_and_relayed_clients_and_those_we_stop_are_none_of_them()
    {
        _stage.CallRaw().Send("GET / HTTP/1.1\r\n\r\n"u8);
        var (client, _) = _stage.Relay();
        client.Peer.Reset();
        _stage.Run();
        _stage.CallRaw();
        _stage.Run();
        _stage.Stop();
        Assert.Empty(_stage.Metrics.Of("portico.early.ends"));
    }

    [Theory]
    [InlineData("127.0.0.1", 0)]
    [InlineData("127.8.9.10", 0)]
    [InlineData("::1", 0)]
    [InlineData("::ffff:127.0.0.1", 0)]
    [InlineData("198.51.100.7", 6)]
    public void Whoever_looks_from_this_machine_whether_we_are_there_is_no_client_that_was_lost(string address, int counted)
    {
        ComeFrom(_stage, address);
        LeaveAtEachStage(_stage);
        Assert.Equal(counted, _stage.Metrics.Of("portico.early.ends").Count());
        Assert.Equal(counted, _stage.Listener.Counters.EarlyEnds);
    }

    [Fact]
    public void Where_a_forwarder_on_this_machine_brings_the_clients_they_count()
    {
        using var stage = new Stage(change: settings => settings with { Limits = settings.Limits with { CountsLoopback = true } });
        ComeFrom(stage, "127.0.0.1");
        LeaveAtEachStage(stage);
        Assert.Equal(6, stage.Metrics.Of("portico.early.ends").Count());
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("PROXY UNKNOWN\r\n", 0)]
    [InlineData("PROXY TCP4 127.0.0.1 192.0.2.10 50000 443\r\n", 0)]
    [InlineData("PROXY TCP4 192.0.2.10 192.0.2.10 50000 443\r\n", 0)]
    [InlineData("PROXY TCP4 198.51.100.3 192.0.2.10 50000 443\r\n", 6)]
    public void Behind_a_balancer_only_clients_that_it_names_count(string header, int counted)
    {
        using var stage = new Stage(change: settings => settings with
        {
            Listeners = [settings.Listeners[0] with { TrustedBalancers = [IPNetwork.Parse("192.0.2.0/24")] }],
        });
        LeaveAtEachStage(stage, Encoding.ASCII.GetBytes(header));
        Assert.Equal(counted, stage.Metrics.Of("portico.early.ends").Count());
    }

    [Fact]
    public void How_much_a_client_had_got_when_it_vanished_is_recorded()
    {
        var (client, dc) = _stage.Relay();
        dc.Say(new byte[18_000]);
        _stage.Run();
        client.Peer.Reset();
        _stage.Run();
        var lost = Assert.Single(_stage.Metrics.Of("portico.client.lost.after"));
        Assert.Equal(("main", "reset"), (lost.Tags["listener"], lost.Tags["end"]));
        Assert.Equal(_stage.Metrics.Observe("portico.client.sent"), lost.Value);
        Assert.InRange(lost.Value, 18_000, 18_000 + 5000);
    }

    [Fact]
    public void How_much_a_client_had_got_when_it_took_no_more_is_recorded()
    {
        var (client, dc) = _stage.Relay();
        client.Peer.ToPeer.Capacity = 10;
        client.Peer.ReadsAtOnce = false;
        dc.Say(new byte[18_000]);
        _stage.Run();
        _stage.Advance(70);
        Assert.Equal("write_timeout", Assert.Single(_stage.Metrics.Of("portico.client.lost.after")).Tags["end"]);
    }

    [Fact]
    public void Clients_that_take_their_leave_and_strangers_that_reset_are_not_lost()
    {
        var (client, dc) = _stage.Relay();
        client.Peer.Finish();
        dc.Peer.Finish();
        var stranger = _stage.CallRaw();
        stranger.Send([0x16]);
        _stage.Run();
        stranger.Reset();
        _stage.Run();
        Assert.Empty(_stage.Metrics.Of("portico.client.lost.after"));
    }

    public void Dispose() => _stage.Dispose();

    private static void ComeFrom(Stage stage, string address) =>
        stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse(address), 50000);

    // One that finishes and one that resets, for silence, half a hello and silence after our flight.
    private static void LeaveAtEachStage(Stage stage, byte[]? header = null)
    {
        foreach (var isReset in (bool[])[false, true])
        {
            foreach (var share in (double[])[0, 0.5, 1])
            {
                var client = stage.Call();
                if (header is { Length: > 0 }) client.Peer.Send(header);
                stage.Run();
                client.Peer.Send(client.Hello.AsSpan(0, (int)(client.Hello.Length * share)));
                stage.Run();
                if (isReset) client.Peer.Reset();
                else client.Peer.Finish();
                stage.Run();
            }
        }

        stage.Advance(70);
        stage.AssertNothingLeft();
    }

    private void AssertStage(string stage, string closed)
    {
        _stage.Run();
        var end = Assert.Single(_stage.Metrics.Of("portico.early.ends"));
        Assert.Equal((stage, "main"), (end.Tags["stage"], end.Tags["listener"]));
        _stage.AssertClosed(closed);
    }
}
