using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Clients that do not read: they pay, their link does not, and memory is bounded.</summary>
public sealed class BackPressureTests : IDisposable
{
    private readonly MiddleStage _stage = new(change: WithLimits);

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void A_client_over_its_limit_that_takes_nothing_for_a_second_is_closed_and_another_is_served()
    {
        var (slow, link, slowId) = _stage.Rest();
        var (quick, _, quickId) = _stage.Rest();
        slow.Peer.ReadsAtOnce = false;
        for (var i = 0; i < 30; i++) link.Answer(slowId, new byte[10_000]);
        _stage.Run();
        _stage.Advance(0.9);
        Assert.Empty(_stage.Metrics.Closed);
        link.Answer(quickId, new byte[5000]);
        _stage.Run();
        Assert.Equal(5000, quick.Packets[^1].Length);
        _stage.Advance(0.2);
        Assert.Equal(["client_queue_limit (client)"], _stage.Metrics.Closed);
        Assert.Equal([slowId], link.Farewells);
        Assert.Empty(_stage.Metrics.Of("portico.dc.backpressure"));
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void A_client_whose_kernel_acknowledges_all_the_time_is_alive_however_long_there_is_no_room()
    {
        var (slow, link, id) = _stage.Rest();
        (slow.Peer.ReadsAtOnce, slow.Peer.IsUnreachable) = (false, true);
        link.Answer(id, new byte[150_000]);
        for (var seconds = 0; seconds < 180; seconds += 3)
        {
            _stage.Advance(3);
            slow.Peer.ToPeer.Arrive(500); // acknowledged, not taken out: no room, and no event
        }

        Assert.Empty(_stage.Metrics.Closed);
        _stage.Advance(66);
        Assert.Equal(["client_write_timeout (client)"], _stage.Metrics.Closed);
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void A_client_that_is_gone_with_an_answer_in_the_kernels_hands_is_noticed()
    {
        var (gone, link, id) = _stage.Rest();
        gone.Peer.IsUnreachable = true;
        link.Answer(id, new byte[1000]);
        _stage.Advance(66);
        Assert.Equal(["client_write_timeout (client)"], _stage.Metrics.Closed);
        Assert.Equal([id], link.Farewells);
    }

    [Fact]
    public void A_client_that_came_below_its_limit_again_has_the_long_patience()
    {
        var (slow, link, id) = _stage.Rest();
        slow.Peer.ReadsAtOnce = false;
        for (var i = 0; i < 30; i++) link.Answer(id, new byte[10_000]);
        _stage.Run();
        var area = new byte[200_000];
        for (int i = 0; i < 3; i++)
        {
            slow.Peer.Read(area);
            _stage.Run();
        }

        _stage.Advance(5);
        Assert.Empty(_stage.Metrics.Closed);
        _stage.Advance(56);
        Assert.Equal(["client_write_timeout (client)"], _stage.Metrics.Closed);
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void A_client_that_reads_all_the_time_and_stays_over_its_limit_goes_after_five_seconds_in_all()
    {
        var (slow, link, id) = _stage.Rest();
        slow.Peer.ReadsAtOnce = false;
        for (var i = 0; i < 29; i++) link.Answer(id, new byte[10_000]);
        _stage.Run();
        for (var tenths = 0; tenths < 48; tenths++)
        {
            slow.Peer.Read(new byte[40_000]);
            for (var i = 0; i < 4; i++) link.Answer(id, new byte[10_000]);
            _stage.Run();
            _stage.Advance(0.1);
        }

        Assert.Empty(_stage.Metrics.Closed);
        for (var tenths = 0; tenths < 4; tenths++)
        {
            slow.Peer.Read(new byte[40_000]);
            for (var i = 0; i < 4; i++) link.Answer(id, new byte[10_000]);
            _stage.Run();
            _stage.Advance(0.1);
        }

        Assert.Equal(["client_queue_limit (client)"], _stage.Metrics.Closed);
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void When_all_together_owe_too_much_the_link_waits_and_after_a_second_the_largest_debtor_goes()
    {
        var clients = Enumerable.Range(0, 4).Select(_ => _stage.Rest()).ToList();
        var link = clients[0].Link;
        foreach (var (client, _, _) in clients) client.Peer.ReadsAtOnce = false;
        for (var i = 0; i < 4; i++) link.Answer(clients[i].Id, new byte[150_000 + (i == 2 ? 10_000 : 0)]);
        _stage.Run();
        Assert.Equal(1, _stage.Metrics.Sum("portico.dc.backpressure", "state", "bytes_total"));
        link.Answer(clients[0].Id, new byte[8]);
        _stage.Run();
        _stage.Advance(0.9);
        Assert.Empty(_stage.Metrics.Closed);
        Assert.NotEqual(0, link.Peer.Unread);
        _stage.Advance(0.2);
        Assert.Equal(["client_queue_limit (client)"], _stage.Metrics.Closed);
        Assert.True(clients[2].Client.IsEnded);
        Assert.Equal(1, _stage.Metrics.Sum("portico.dc.backpressure", "state", "off"));
        Assert.Equal(0, link.Peer.Unread);
        foreach (var (client, _, _) in clients) client.Peer.ReadsAtOnce = true;
        _stage.Run();
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void A_link_that_waited_goes_on_when_clients_have_read()
    {
        var clients = Enumerable.Range(0, 5).Select(_ => _stage.Rest()).ToList();
        var link = clients[0].Link;
        for (var round = 0; round < 50; round++)
        {
            foreach (var (client, _, _) in clients) client.Peer.ReadsAtOnce = false;
            foreach (var (_, _, id) in clients) link.Answer(id, new byte[150_000]);
            _stage.Run();
            Assert.NotEqual(0, link.Peer.Unread);
            foreach (var (client, _, _) in clients) client.Peer.ReadsAtOnce = true;
            _stage.Run();
        }

        Assert.Equal(50, _stage.Metrics.Sum("portico.dc.backpressure", "state", "bytes_total"));
        Assert.Equal(50, _stage.Metrics.Sum("portico.dc.backpressure", "state", "off"));
        Assert.All(clients, entry => Assert.Equal(51, entry.Client.Packets.Count));
        _stage.Advance(2);
        Assert.Empty(_stage.Metrics.Closed);
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void What_waits_for_slow_clients_is_counted_on_their_next_link_too()
    {
        var clients = Enumerable.Range(0, 4).Select(_ => _stage.Rest()).ToList();
        var link = clients[0].Link;
        foreach (var (client, _, _) in clients) client.Peer.ReadsAtOnce = false;
        foreach (var (_, _, id) in clients.Take(2)) link.Answer(id, new byte[150_000]);
        _stage.Run();
        _stage.Advance(3);
        link.Finish();
        _stage.Run();
        foreach (var (client, _, _) in clients.Skip(2)) client.Send(new byte[8]);
        _stage.Run();
        link = Assert.Single(_stage.OpenLinks);
        Assert.Equal(4, _stage.Metrics.Observe("portico.dc.clients"));
        foreach (var request in link.Requests.ToList()) link.Answer(request.Id, new byte[150_000]);
        _stage.Run();
        Assert.Equal(1, _stage.Metrics.Sum("portico.dc.backpressure", "state", "bytes_total"));
        foreach (var (client, _, _) in clients) client.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.Equal(1, _stage.Metrics.Sum("portico.dc.backpressure", "state", "off"));
        _stage.AssertNothingHeld();
    }

    // A client's pipe takes 64 KB before anything waits here.
    private static ProxySettings WithLimits(ProxySettings settings) => settings with
    {
        Health = new HealthSettings { ClientQueueBytes = 200_000, ClientQueuePackets = 100 },
        Middle = settings.Middle with { BackPressure = new BackPressureSettings { BytesTotal = 300_000, PacketsTotal = 1000 } },
    };
}
