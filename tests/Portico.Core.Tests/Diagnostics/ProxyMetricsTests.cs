using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Protocol;
using Xunit;

namespace Portico.Core.Tests.Diagnostics;

public sealed class ProxyMetricsTests : IDisposable
{
    private readonly Stage _stage = new(ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic);

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void Bytes_of_clients_are_those_on_their_wire_and_bytes_of_dcs_those_on_theirs()
    {
        var client = _stage.Call();
        byte[] up = [.. client.Hello, .. client.Header, .. client.Encode(new byte[1000])];
        client.Peer.Send(up);
        _stage.Run();
        var dc = _stage.LatestDc();
        Assert.True(dc.IsGreeted);
        dc.Say(new byte[40_000]);
        _stage.Run();
        Assert.Equal(up.Length, _stage.Metrics.Observe("portico.client.received", "listener", "main"));
        Assert.Equal(client.Peer.CollectedLength, _stage.Metrics.Observe("portico.client.sent", "listener", "main"));
        Assert.Equal(64 + 1000, _stage.Metrics.Observe("portico.dc.sent", "dc", 2));
        Assert.Equal(40_000, _stage.Metrics.Observe("portico.dc.received", "dc", 2));
    }

    [Fact]
    public void Bytes_count_once_however_often_they_were_tried()
    {
        var (client, dc) = _stage.Relay();
        var before = _stage.Metrics.Observe("portico.client.sent");
        client.Peer.ReadsAtOnce = false;
        client.Peer.ToPeer.Capacity = 1000;
        dc.Say(new byte[10_000]);
        _stage.Run();
        Assert.Equal(1000, _stage.Metrics.Observe("portico.client.sent") - before);
        client.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.Equal(10_010, _stage.Metrics.Observe("portico.client.sent") - before);
    }

    [Fact]
    public void Open_connections_show_their_state()
    {
        _stage.CallRaw();
        _stage.Relay();
        var (client, dc) = _stage.Relay();
        Assert.Equal((1, 2), (Connections("handshake"), Connections("relaying")));
        client.Peer.Finish();
        dc.Peer.Finish();
        _stage.Run();
        Assert.Equal((1, 1), (Connections("handshake"), Connections("relaying")));
        Assert.Equal(3, _stage.Metrics.Sum("portico.connections.accepted", "listener", "main"));
    }

    [Theory]
    [InlineData(true, Transport.Padded, "fake_tls")]
    [InlineData(false, Transport.Padded, "secure")]
    [InlineData(false, Transport.Intermediate, "intermediate")]
    [InlineData(false, Transport.Abridged, "abridged")]
    public void A_client_counts_under_its_protocol_when_its_header_was_accepted(bool isTls, Transport transport, string protocol)
    {
        _stage.Relay(new ClientTraits { IsTls = isTls, Transport = transport });
        Assert.Equal(protocol, Assert.Single(_stage.Metrics.Of("portico.protocol.ok")).Tags["protocol"]);
    }

    [Fact]
    public void The_length_of_a_session_is_from_accept_to_end()
    {
        var (client, dc) = _stage.Relay();
        _stage.Advance(90);
        client.Peer.Finish();
        dc.Peer.Finish();
        _stage.Run();
        Assert.InRange(Assert.Single(_stage.Metrics.Of("portico.session.duration")).Value, 89.9, 90.1);
    }

    [Fact]
    public void No_label_carries_what_would_tell_clients_apart()
    {
        _stage.Relay();
        _stage.CallRaw().Send("GET /"u8);
        _stage.Run();
        _stage.Metrics.Observe("portico.connections");
        var names = new[] { "listener", "reason", "side", "protocol", "phase", "dc", "result", "state" };
        foreach (var instrument in new[]
        {
            "portico.connections.accepted",
            "portico.protocol.ok",
            "portico.protocol.error",
            "portico.dc.connect",
            "portico.connections",
        })
            Assert.All(_stage.Metrics.Of(instrument), measured => Assert.Subset(names.ToHashSet(), measured.Tags.Keys.ToHashSet()));
    }

    [Theory]
    [InlineData("portico.connections.limit", 64_000)]
    [InlineData("portico.replay.items.limit", 4_000_000)]
    [InlineData("portico.replay.limit.bytes", 512L << 20)]
    [InlineData("portico.replay.disk.limit.bytes", 0)] // nothing is kept without a data directory
    [InlineData("portico.stranger.networks.limit", 8192)]
    public void Beside_a_number_stands_how_large_it_may_be(string instrument, double limit)
    {
        Assert.Equal(limit, _stage.Metrics.Observe(instrument));
    }

    [Fact]
    public void What_the_process_takes_of_its_machine_is_told()
    {
        Assert.InRange(Observe("portico.descriptors"), 3, Observe("portico.descriptors.limit"));
        Assert.InRange(Observe("portico.process.threads"), 2, 10_000);
        Assert.InRange(Observe("portico.process.resident"), 1 << 20, 1L << 40);
        Assert.InRange(Observe("portico.gc.heap"), 1 << 10, 1L << 40);
        Assert.InRange(Observe("portico.process.cpu"), 0.001, 1e7);
        Assert.Equal(Observe("portico.gc.collections"), GC.CollectionCount(0));
        var age = DateTimeOffset.UtcNow.ToUnixTimeSeconds() - Observe("portico.process.start.time");
        Assert.InRange(age, 0, 100_000);
    }

    [Fact]
    public void A_descriptor_more_shows_as_one()
    {
        using var twenty = new Holder(20);
        var with = Observe("portico.descriptors");
        twenty.Dispose();
        // Tests beside this one open and close some, too.
        Assert.InRange(with - Observe("portico.descriptors"), 1, 40);
    }

    [Theory]
    [InlineData(3600, "ahead")]
    [InlineData(-3600, "behind")]
    public void By_how_much_clocks_differ_is_told_of_clients_that_were_refused_for_it(int ahead, string clock)
    {
        var client = _stage.Call(new ClientTraits { ClockAhead = ahead });
        client.Peer.Send(client.Hello);
        _stage.Run();
        var skew = Assert.Single(_stage.Metrics.Of("portico.clock.skew"));
        Assert.Equal((3600.0, clock), (skew.Value, skew.Tags["clock"]));
    }

    [Fact]
    public void Whether_the_file_is_in_force_shows_until_it_is_read_again()
    {
        Assert.Equal(1, Observe("portico.reload.last.ok"));
        foreach (var (result, isInForce) in new[] { ("refused", 0), ("applied", 1), ("refused", 0), ("unchanged", 1), ("partial", 1) })
        {
            _stage.Proxy.CountReload(result);
            Assert.Equal(isInForce, Observe("portico.reload.last.ok"));
        }
    }

    private double Observe(string instrument) => _stage.Metrics.Observe(instrument);

    private double Connections(string state) => _stage.Metrics.Observe("portico.connections", "state", state);

    private sealed class Holder(int count) : IDisposable
    {
        private readonly FileStream[] _files = [.. Enumerable.Range(0, count).Select(_ => File.OpenRead(typeof(Holder).Assembly.Location))];

        public void Dispose()
        {
            foreach (var file in _files) file.Dispose();
        }
    }
}
