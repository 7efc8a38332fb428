using System.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Admission;

/// <summary>Who may not come in sees the cover, where there is one.</summary>
public class AdmissionWithCoverTests
{
    private const int Most = 3;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_replay_is_at_the_cover_byte_for_byte_with_everything_behind_it(bool isTls)
    {
        using var stage = Of(settings => settings);
        var (client, _) = stage.Relay(new ClientTraits { IsTls = isTls });
        byte[] replay = [.. isTls ? client.Hello : client.Header, 1, 2, 3];
        var peer = stage.CallRaw();
        peer.Send(replay);
        stage.Run();
        var cover = stage.Covers.Single();
        Assert.Equal(replay, cover.Take());
        cover.Send("the site"u8);
        stage.Run();
        Assert.Equal("the site"u8.ToArray(), peer.Take());
        Assert.Equal(PeerEnd.None, peer.End);
        Assert.Equal(1, stage.Metrics.Sum("portico.protocol.error", "reason", "replay_session_detected"));
        stage.AssertNoFault();
    }

    [Fact]
    public void One_too_many_of_an_address_ends_its_oldest_at_the_cover_and_nobody_elses()
    {
        using var stage = Of(settings => settings with { Limits = new LimitSettings { UnauthenticatedPerAddress = Most } });
        var other = Stranger(stage, "192.0.2.9");
        var peers = Enumerable.Range(0, Most + 1).Select(_ => Stranger(stage, "192.0.2.1")).ToList();
        Assert.NotEqual(PeerEnd.None, peers[0].End);
        Assert.All(peers[1..].Append(other), peer => Assert.Equal(PeerEnd.None, peer.End));
        Assert.Equal(["address_limit (client)"], stage.Metrics.Closed);
        Assert.Equal(Most + 1, stage.Metrics.Observe("portico.connections", "state", "cover"));
        stage.AssertNoFault();
    }

    [Fact]
    public void By_default_1024_of_an_address_are_at_the_cover_and_of_1100_the_oldest_76_give_way()
    {
        const int limit = 1024, all = 1100;
        using var stage = Of(settings => settings);
        var other = Stranger(stage, "192.0.2.9");
        var peers = Enumerable.Range(0, all).Select(_ => Stranger(stage, "192.0.2.1")).ToList();
        Assert.All(peers[..(all - limit)], peer => Assert.NotEqual(PeerEnd.None, peer.End));
        Assert.All(peers[(all - limit)..].Append(other), peer => Assert.Equal(PeerEnd.None, peer.End));
        Assert.Equal(Enumerable.Repeat("address_limit (client)", all - limit), stage.Metrics.Closed);
        Assert.Equal(limit + 1, stage.Metrics.Observe("portico.connections", "state", "cover"));
        stage.AssertNoFault();
    }

    [Fact]
    public void A_connection_that_the_cover_has_answered_counts_no_more_among_those_of_its_address()
    {
        using var stage = Of(settings => settings with { Limits = new LimitSettings { UnauthenticatedPerAddress = Most } });
        var peers = new List<MemoryPeer>();
        for (var i = 0; i < 3 * Most; i++)
        {
            peers.Add(Stranger(stage, "192.0.2.1"));
            stage.Covers.Last().Send("the site"u8);
            stage.Run();
        }

        Assert.All(peers, peer => Assert.Equal(PeerEnd.None, peer.End));
        Assert.Empty(stage.Metrics.Closed);
        stage.AssertNoFault();
    }

    [Theory]
    [InlineData(ResetOnClose.HandshakeError)]
    [InlineData(ResetOnClose.Always)]
    public void Who_is_at_the_cover_sees_the_covers_end_whatever_was_asked_for(ResetOnClose mode)
    {
        using var stage = Of(settings => settings with { ResetOnClose = mode });
        var peer = Stranger(stage, "192.0.2.1");
        stage.Covers.Single().Finish();
        peer.Finish();
        stage.Run();
        Assert.Equal(PeerEnd.Fin, peer.End);
        stage.AssertClosed("cover_closed (cover)");
        stage.AssertNoFault();
    }

    private static MemoryPeer Stranger(Stage stage, string address)
    {
        stage.Loop.RemoteOfClients = new IPEndPoint(IPAddress.Parse(address), 50000);
        var peer = stage.CallRaw();
        peer.Send("GET / HTTP/1.1\r\n\r\n"u8);
        stage.Run();
        return peer;
    }

    private static Stage Of(Func<ProxySettings, ProxySettings> change) =>
        new(ClientProtocols.FakeTls | ClientProtocols.Secure, change: settings => change(Stage.WithCover()(settings)));
}
