using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Clients;

/// <summary>FIN or RST, as the operator wants it, and where that is not asked (spec/05 section 3.9).</summary>
public class ResetOnCloseTests
{
    [Theory]
    [InlineData(ResetOnClose.Off, PeerEnd.Fin)]
    [InlineData(ResetOnClose.HandshakeError, PeerEnd.Reset)]
    [InlineData(ResetOnClose.Always, PeerEnd.Reset)]
    public void Who_is_not_let_in_and_has_seen_nothing(ResetOnClose mode, PeerEnd end)
    {
        using var stage = Of(mode);
        var wrong = stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        wrong.Peer.Send(wrong.Hello);
        var silent = stage.CallRaw();
        stage.Run();
        Assert.Equal(end, wrong.Peer.End);
        stage.Advance(11);
        Assert.Equal(end, silent.End);

        var (first, _) = stage.Relay();
        var replay = stage.CallRaw();
        replay.Send(first.Hello);
        stage.Run();
        Assert.Equal(end, replay.End);
        stage.AssertNoFault();
    }

    [Theory]
    [InlineData(ResetOnClose.HandshakeError)]
    [InlineData(ResetOnClose.Always)]
    public void An_alert_is_never_overtaken_by_a_reset(ResetOnClose mode)
    {
        using var stage = Of(mode);
        var client = stage.Call();
        var hello = client.Hello;
        hello[9] = 2; // no version that a hello of TLS 1.3 carries there
        client.Peer.Send(hello);
        stage.Run();
        Assert.Equal(TlsAlert.DecodeError.ToArray(), client.Peer.Take());
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        stage.Advance(6);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Equal(["tls_bad_client_hello (client)"], stage.Metrics.Closed);
    }

    [Theory]
    [InlineData(ResetOnClose.HandshakeError)]
    [InlineData(ResetOnClose.Always)]
    public void After_the_flight_there_is_no_reset_whatever_the_client_sends(ResetOnClose mode)
    {
        using var stage = Of(mode);
        var silent = Greeted(stage);
        stage.Advance(61);
        Assert.Equal(PeerEnd.Fin, silent.Peer.End);
        Assert.Equal(["header_timeout (client)"], stage.Metrics.Closed);

        var bad = Greeted(stage);
        bad.Peer.Send([0x99, 3, 3, 0, 1, 0]);
        stage.Advance(1600);
        Assert.Equal(PeerEnd.Fin, bad.Peer.End);
        Assert.Equal("tls_bad_record (client)", stage.Metrics.Closed.Last());

        var goodbye = Greeted(stage);
        goodbye.Peer.Send([0x15, 3, 3, 0, 2, 1, 0]);
        stage.Run();
        stage.Advance(6);
        Assert.Equal(PeerEnd.Fin, goodbye.Peer.End);
    }

    [Theory]
    [InlineData(ResetOnClose.Off, PeerEnd.Fin)]
    [InlineData(ResetOnClose.HandshakeError, PeerEnd.Fin)]
    [InlineData(ResetOnClose.Always, PeerEnd.Reset)]
    public void Who_was_relayed(ResetOnClose mode, PeerEnd end)
    {
        using var stage = Of(mode);
        foreach (var isTls in new[] { true, false })
        {
            var (client, _) = stage.Relay(new ClientTraits { IsTls = isTls });
            stage.Advance(1300);
            Assert.Equal(end, client.Peer.End);
            Assert.Equal("idle_timeout (client)", stage.Metrics.Closed.Last());
        }
    }

    [Theory]
    [InlineData(ResetOnClose.HandshakeError)]
    [InlineData(ResetOnClose.Always)]
    public void Who_is_at_the_cover_sees_no_reset_but_the_covers(ResetOnClose mode)
    {
        using var stage = new Stage(
            change: settings => Stage.WithCover(cover => cover with { MaxConnections = 1 })(settings) with { ResetOnClose = mode });
        var closed = Visit();
        stage.Covers.Last().Finish();
        closed.Finish();
        stage.Run();
        Assert.Equal(PeerEnd.Fin, closed.End);

        var sentAway = Visit();
        var stopped = Visit();
        stage.Advance(6); // the wait for its FIN is over
        Assert.Equal(PeerEnd.Fin, sentAway.End);
        stage.Stop();
        Assert.Equal(PeerEnd.Fin, stopped.End);
        Assert.Equal(["cover_closed (cover)", "cover_limit (operator)", "shutdown (operator)"], stage.Metrics.Closed);

        MemoryPeer Visit()
        {
            var peer = stage.CallRaw();
            peer.Send([0x20]);
            stage.Run();
            return peer;
        }
    }

    [Fact]
    public void A_bad_record_of_somebody_who_is_relayed_ends_without_a_reset_as_well()
    {
        using var stage = Of(ResetOnClose.Always);
        var (client, _) = stage.Relay();
        client.Peer.Send([0x99, 3, 3, 0, 1, 0]);
        stage.Advance(1600);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Equal("tls_bad_record (client)", stage.Metrics.Closed.Last());
    }

    private static StageClient Greeted(Stage stage)
    {
        var client = stage.Call();
        client.Peer.Send(client.Hello);
        stage.Run();
        Assert.True(client.HasFlight);
        return client;
    }

    private static Stage Of(ResetOnClose mode) =>
        new(ClientProtocols.FakeTls | ClientProtocols.Secure, change: settings => settings with { ResetOnClose = mode });
}
