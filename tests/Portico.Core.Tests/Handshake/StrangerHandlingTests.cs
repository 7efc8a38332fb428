using System.Text;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Handshake;

/// <summary>What somebody sees who is not ours while there is no cover to show.</summary>
public sealed class StrangerHandlingTests : IDisposable
{
    private const string Alert = "15030300020232";

    private readonly Stage _stage = new();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Theory]
    [MemberData(nameof(HelloVector.Names), MemberType = typeof(HelloVector))]
    public void Hellos_of_the_vectors_get_an_alert_or_nothing_and_an_orderly_end(string name)
    {
        var vector = HelloVector.Named(name);
        // other tests let them in or run out of patience
        if (vector.Outcome is "accept" or "need_more") return;
        var peer = _stage.CallRaw();
        peer.Send(vector.Input);
        _stage.Run();
        // The stage's secret is none of the vectors': a hello that is well signed there is not here.
        var isAlert = vector.Outcome == "alert_close";
        Assert.Equal(isAlert ? Alert : "", Convert.ToHexStringLower(peer.Take()));
        Assert.Equal(PeerEnd.Fin, peer.End);
        peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, peer.End);
        Assert.Equal(0, peer.Unread);
        var closed = Assert.Single(_stage.Metrics.Closed);
        if (isAlert) Assert.Equal($"{vector.Metric} (client)", closed);
        _stage.AssertNothingLeft();
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", "tls_client_hello_expected")]
    [InlineData("\u0000\u0001\u0002", "tls_client_hello_expected")]
    public void Somebody_who_does_not_speak_tls_sees_fin_and_what_he_still_sends_is_read(string request, string reason)
    {
        var peer = _stage.CallRaw();
        peer.Send(Encoding.Latin1.GetBytes(request));
        _stage.Run();
        peer.Send(new byte[10_000]);
        _stage.Run();
        Assert.Empty(peer.Take());
        Assert.Equal(PeerEnd.Fin, peer.End);
        Assert.Equal(0, peer.Unread);
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", reason));
        _stage.AssertOpen();
        peer.Finish();
        _stage.Run();
        _stage.AssertClosed($"{reason} (client)");
    }

    [Fact]
    public void A_stranger_who_does_not_end_is_let_go_after_five_seconds()
    {
        var peer = _stage.CallRaw();
        peer.Send("GET / HTTP/1.1\r\n\r\n"u8);
        _stage.Advance(4.9);
        Assert.False(peer.IsReleased);
        _stage.Advance(0.2);
        _stage.AssertClosed("tls_client_hello_expected (client)");
    }

    [Fact]
    public void A_stranger_who_keeps_sending_is_cut_off_after_a_megabyte()
    {
        var peer = _stage.CallRaw();
        peer.ToProxy.Capacity = 2_000_000; // all of it is there at once: no further event brings the rest
        peer.Send(new byte[900_000]);
        _stage.Run();
        Assert.Equal(0, peer.Unread);
        Assert.False(peer.IsReleased);
        peer.Send(new byte[400_000]);
        _stage.Run();
        _stage.AssertClosed("tls_client_hello_expected (client)");
    }

    [Fact]
    public void A_stranger_who_resets_leaves_nothing()
    {
        var peer = _stage.CallRaw();
        peer.Send("GET / HTTP/1.1\r\n\r\n"u8);
        _stage.Run();
        peer.Reset();
        _stage.Run();
        _stage.AssertClosed("tls_client_hello_expected (client)");
    }

    [Fact]
    public void A_client_of_ours_with_a_wrong_clock_is_a_stranger()
    {
        var client = _stage.Call(new ClientTraits { ClockAhead = 121 });
        client.Peer.Send(client.Hello);
        client.Peer.Finish();
        _stage.Run();
        Assert.Empty(client.Peer.Take());
        _stage.AssertClosed("tls_time (client)");
    }

    [Fact]
    public void With_several_protocols_on_offer_64_bytes_of_noise_are_a_strangers()
    {
        using var stage = new Stage(ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic);
        var peer = stage.CallRaw();
        var noise = Enumerable.Range(130, 63).Select(i => (byte)i).ToArray();
        peer.Send(noise);
        stage.Run();
        Assert.Equal(PeerEnd.None, peer.End);
        peer.Send([1]);
        stage.Run();
        Assert.Equal(PeerEnd.Fin, peer.End);
        peer.Finish();
        stage.Run();
        stage.AssertClosed("unknown_protocol (client)");
    }
}
