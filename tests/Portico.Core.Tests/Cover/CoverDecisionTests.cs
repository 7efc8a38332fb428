using System.Text;
using Portico.Core.Options;
using Portico.Core.Tests.Handshake;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>Who is passed on to the cover, when, and who is still one of ours.</summary>
public sealed class CoverDecisionTests : IDisposable
{
    private static readonly byte[] Request = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");

    private readonly Stage _stage = new(change: Stage.WithCover());

    private MemoryPeer Cover => _stage.Covers.Single();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void Bytes_that_cannot_be_ours_are_at_the_cover_at_once_and_its_answer_at_the_stranger()
    {
        var peer = _stage.CallRaw();
        peer.Send(Request);
        _stage.Run();
        Assert.Equal(Request, Cover.Take());
        Cover.Send("HTTP/1.1 400"u8);
        _stage.Run();
        Assert.Equal("HTTP/1.1 400"u8.ToArray(), peer.Take());
        Assert.Equal(1, _stage.Metrics.Sum("portico.cover", "result", "ok"));
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", "tls_client_hello_expected"));
        Assert.Equal(1, _stage.Metrics.Observe("portico.connections", "state", "cover"));
        Assert.Equal(0, _stage.Metrics.Observe("portico.connections", "state", "handshake"));
    }

    [Theory]
    [MemberData(nameof(HelloVector.Names), MemberType = typeof(HelloVector))]
    public void Hellos_of_the_vectors_are_at_the_cover_byte_for_byte(string name)
    {
        var vector = HelloVector.Named(name);
        // the stage's secret is none of theirs; "need_more" has a test of its own
        if (vector.Outcome is "accept" or "need_more") return;
        var peer = _stage.CallRaw();
        peer.Send(vector.Input);
        _stage.Run();
        Assert.Equal(vector.Input, Cover.Take());
        Assert.Empty(peer.Take());
        Assert.Equal(PeerEnd.None, peer.End);
        Cover.Finish();
        peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, peer.End);
        _stage.AssertClosed("cover_closed (cover)");
    }

    [Theory]
    [MemberData(nameof(HelloVector.Names), MemberType = typeof(HelloVector))]
    public void With_the_alert_chosen_malformed_hellos_get_it_and_the_others_the_cover(string name)
    {
        var vector = HelloVector.Named(name);
        if (vector.Outcome is "accept" or "need_more") return;
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { AlertMalformedHello = true }));
        var peer = stage.CallRaw();
        peer.Send(vector.Input);
        stage.Run();
        if (vector.Outcome == "alert_close")
        {
            Assert.Equal("15030300020232", Convert.ToHexStringLower(peer.Take()));
            Assert.Equal(PeerEnd.Fin, peer.End);
            Assert.Empty(stage.Covers);
            peer.Finish();
            stage.Run();
            stage.AssertClosed($"{vector.Metric} (client)");
        }
        else
        {
            Assert.Equal(vector.Input, stage.Covers.Single().Take());
            Assert.Empty(peer.Take());
        }

        stage.AssertNoFault();
    }

    [Fact]
    public void A_silent_caller_is_at_the_cover_after_a_twentieth_of_a_second_and_stays_there_as_long_as_the_cover_lets_it()
    {
        var peer = _stage.CallRaw();
        _stage.Advance(0.04);
        Assert.Empty(_stage.Covers);
        _stage.Advance(0.11);
        Assert.Single(_stage.Covers);
        _stage.Advance(5000);
        Assert.Equal(PeerEnd.None, peer.End);
        Cover.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, peer.End);
        peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, Cover.End);
        _stage.AssertClosed("cover_closed (cover)");
    }

    [Fact]
    public void Bytes_now_and_then_do_not_put_the_cover_off()
    {
        var client = _stage.Call();
        for (var sent = 0; sent < 3; sent++)
        {
            client.Peer.Send(client.Hello.AsSpan(sent, 1));
            _stage.Advance(0.015);
        }

        Assert.Empty(_stage.Covers);
        client.Peer.Send(client.Hello.AsSpan(3, 1));
        _stage.Advance(0.1);
        Assert.Equal(client.Hello[..4], Cover.Take());
        client.Peer.Send(client.Hello.AsSpan(4, 1));
        _stage.Run();
        Assert.Equal(client.Hello[4..5], Cover.Take());
    }

    [Fact]
    public void A_slow_hello_that_proves_ours_before_the_cover_has_spoken_is_let_in_and_the_cover_left()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, 100));
        _stage.Advance(1);
        client.Peer.Send(client.Hello.AsSpan(100, 100));
        _stage.Run();
        Assert.Equal(client.Hello[..200], Cover.Take());
        Assert.Equal(1, _stage.Metrics.Observe("portico.connections", "state", "cover"));
        client.Peer.Send(client.Hello.AsSpan(200));
        _stage.Run();
        Assert.True(client.HasFlight);
        Assert.Empty(Cover.Take()); // the last segment proved it, and was judged before it was passed on
        Assert.True(Cover.IsReleased);
        Assert.Equal(0, _stage.Metrics.Observe("portico.connections", "state", "cover"));
        Assert.Equal(0, _stage.Proxy.Cover.Budget.Count);
        client.Peer.Send(client.Header);
        _stage.Run();
        Assert.True(_stage.LatestDc().IsGreeted);
    }

    [Theory]
    [InlineData("byte")]
    [InlineData("fin")]
    [InlineData("reset")]
    public void Once_the_cover_has_spoken_a_hello_of_ours_is_a_strangers(string way)
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, 100));
        _stage.Advance(1);
        Assert.Equal(client.Hello[..100], Cover.Take());
        if (way == "byte") Cover.Send([7]);
        else if (way == "fin") Cover.Finish();
        else Cover.Reset();
        // both are there before the proxy looks
        if (way != "reset") client.Peer.Send(client.Hello.AsSpan(100));
        _stage.Run();
        Assert.Equal(way == "byte" ? [7] : [], client.Peer.Take());
        Assert.Equal(way switch { "byte" => PeerEnd.None, "fin" => PeerEnd.Fin, _ => PeerEnd.Reset }, client.Peer.End);
        if (way == "reset") _stage.AssertClosed("cover_reset (cover)");
        else Assert.Equal(client.Hello[100..], Cover.Take());
    }

    [Fact]
    public void A_cover_that_speaks_while_a_hello_is_tried_on_many_secrets_makes_its_sender_a_stranger()
    {
        using var stage = new Stage(change: settings => Stage.WithCover()(settings) with
        {
            Listeners = [settings.Listeners[0] with
            {
                Credentials =
                [
                    .. Enumerable.Repeat(new Credential("other", Stage.WrongSecret), 1000),
                    settings.Listeners[0].Credentials[0],
                ],
            }],
        });
        var client = stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, 100));
        stage.Advance(1);
        var cover = stage.Covers.Single();
        stage.Loop.BetweenSteps = () =>
        {
            stage.Loop.BetweenSteps = null;
            cover.Send([7]);
        };
        client.Peer.Send(client.Hello.AsSpan(100)); // the read of this is the step
        stage.Run();
        Assert.Equal([7], client.Peer.Take());
        Assert.Equal(client.Hello, cover.Take());
        Assert.Equal(0, stage.Listener.Limit.Count);
        stage.AssertNoFault();
    }

    [Fact]
    public void A_hello_that_the_judge_refuses_after_the_cover_was_opened_is_at_the_cover_whole()
    {
        var client = _stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        client.Peer.Send(client.Hello.AsSpan(0, 300));
        _stage.Advance(1);
        client.Peer.Send(client.Hello.AsSpan(300));
        _stage.Run();
        Assert.Equal(client.Hello, Cover.Take());
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", "tls_invalid_digest"));
    }

    [Fact]
    public void With_the_alert_chosen_a_hello_that_turns_out_malformed_late_gets_it_and_the_cover_nothing_more()
    {
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { AlertMalformedHello = true }));
        var peer = stage.CallRaw();
        peer.Send([0x16, 3, 1]);
        stage.Advance(1);
        peer.Send([0, 0]);
        stage.Run();
        Assert.Equal([0x16, 3, 1], stage.Covers.Single().Take());
        Assert.True(stage.Covers.Single().IsReleased);
        Assert.Equal("15030300020232", Convert.ToHexStringLower(peer.Take()));
        peer.Finish();
        stage.Run();
        stage.AssertClosed("tls_bad_client_hello (client)");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(200)]
    public void Somebody_who_finishes_before_anybody_can_tell_sees_how_the_cover_takes_it(int sent)
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, sent));
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(client.Hello[..sent], Cover.Take());
        Assert.Equal(PeerEnd.Fin, Cover.End);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        Cover.Send([1, 2, 3]);
        Cover.Finish();
        _stage.Run();
        Assert.Equal([1, 2, 3], client.Peer.Take());
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void A_caller_that_resets_before_anybody_can_tell_is_no_business_of_the_covers()
    {
        var peer = _stage.CallRaw();
        peer.Send([0x16]);
        _stage.Run();
        peer.Reset();
        _stage.Run();
        Assert.Empty(_stage.Covers);
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void A_caller_that_resets_while_nobody_can_tell_leaves_nothing_at_the_cover()
    {
        var peer = _stage.CallRaw();
        peer.Send([0x16]);
        _stage.Advance(1);
        peer.Reset();
        _stage.Run();
        Assert.NotEqual(PeerEnd.None, Cover.End);
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void Over_the_limit_of_a_listener_a_client_of_ours_sees_the_cover()
    {
        using var stage = new Stage(
            change: settings => Stage.WithCover()(settings) with { Listeners = [settings.Listeners[0] with { MaxConnections = 1 }] });
        stage.Relay();
        var second = stage.Call();
        second.Peer.Send(second.Hello);
        stage.Run();
        Assert.Equal(second.Hello, stage.Covers.Single().Take());
        stage.Covers.Single().Finish();
        second.Peer.Finish();
        stage.Run();
        Assert.Empty(second.Peer.Take());
        Assert.Equal(PeerEnd.Fin, second.Peer.End);
        Assert.Equal(["cover_closed (cover)"], stage.Metrics.Closed);
        Assert.Equal(1, stage.Metrics.Sum("portico.connections.over.limit", "listener", "main"));
        stage.AssertNoFault();
    }

    [Fact]
    public void Over_the_limit_of_a_listener_it_is_closed_without_a_byte_if_the_operator_wants_that()
    {
        using var stage = new Stage(change: settings =>
            Stage.WithCover(cover => cover with { ClosePolicyRefused = true })(settings) with
            {
                Listeners = [settings.Listeners[0] with { MaxConnections = 1 }],
            });
        stage.Relay();
        var second = stage.Call();
        second.Peer.Send(second.Hello);
        stage.Run();
        Assert.Empty(stage.Covers);
        Assert.Empty(second.Peer.Take());
        Assert.Equal(PeerEnd.Fin, second.Peer.End);
        second.Peer.Finish();
        stage.Run();
        Assert.Equal(["connection_limit (operator)"], stage.Metrics.Closed);
    }

    [Fact]
    public void Without_TLS_on_offer_noise_of_64_bytes_is_at_the_cover()
    {
        using var stage = new Stage(ClientProtocols.Secure | ClientProtocols.Classic, change: Stage.WithCover());
        var noise = Enumerable.Range(130, 64).Select(i => (byte)i).ToArray();
        var peer = stage.CallRaw();
        peer.Send(noise);
        stage.Run();
        Assert.Equal(noise, stage.Covers.Single().Take());
        stage.AssertNoFault();
    }

    [Fact]
    public void A_header_without_TLS_that_comes_late_is_let_in()
    {
        using var stage = new Stage(ClientProtocols.Secure, change: Stage.WithCover());
        var client = stage.Call(new ClientTraits { IsTls = false });
        stage.Advance(3);
        Assert.Single(stage.Covers);
        client.Peer.Send(client.Header);
        stage.Run();
        Assert.True(stage.Covers.Single().IsReleased);
        Assert.True(stage.LatestDc().IsGreeted);
    }
}
