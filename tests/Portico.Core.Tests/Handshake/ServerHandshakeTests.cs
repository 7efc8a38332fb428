using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Handshake;

public sealed class ServerHandshakeTests : IDisposable
{
    private readonly Stage _stage = new();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Theory]
    [InlineData(ClientHelloShape.Classic517)]
    [InlineData(ClientHelloShape.PostQuantum)]
    public void A_signed_hello_is_answered_with_one_signed_flight_and_then_silence(ClientHelloShape shape)
    {
        var client = _stage.Call(new ClientTraits { Shape = shape });
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        _stage.Advance(59);
        Assert.Empty(client.Payload);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        Assert.Empty(_stage.Loop.Connects);
    }

    [Fact]
    public void A_flight_that_the_clients_kernel_takes_in_small_pieces_arrives_whole()
    {
        var client = _stage.Call();
        client.Peer.ReadsAtOnce = false;
        client.Peer.ToPeer.Capacity = 200;
        client.Peer.Send(client.Hello);
        var flight = new List<byte>();
        var area = new byte[100];
        for (int count; ;)
        {
            _stage.Run();
            if ((count = client.Peer.Read(area)) == 0) break;
            flight.AddRange(area[..count]);
        }

        using var key = new HmacKey(Stage.Secret);
        Assert.Equal(
            FrameStatus.Ok, ServerFlightVerifier.Verify(flight.ToArray(), client.Hello.AsSpan(11, 32), key, out var length, out _));
        Assert.Equal(flight.Count, length);
        client.Peer.Send(client.Header);
        _stage.Run();
        Assert.True(_stage.LatestDc().IsGreeted);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_header_of_one_byte_per_read_is_a_header(bool isTls)
    {
        using var stage = new Stage(ClientProtocols.FakeTls | ClientProtocols.Secure);
        var client = stage.Call(new ClientTraits { IsTls = isTls, Dc = -2 });
        client.Peer.Send(client.Hello);
        stage.Run();
        foreach (var value in client.Header)
        {
            Assert.Empty(stage.Loop.Connects);
            client.Peer.Send([value]);
            stage.Run();
        }

        var dc = stage.LatestDc();
        Assert.Equal((0xddddddddu, (short)-2), (dc.Tag, dc.DcId));
        client.Say("ping"u8);
        stage.Run();
        Assert.Equal("ping"u8.ToArray(), dc.Text);
    }

    [Fact]
    public void Empty_records_and_change_cipher_spec_between_the_bytes_of_a_header_mean_nothing()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        var header = client.Header[(TlsRecordWriter.ChangeCipherSpec.Length + 5)..];
        foreach (var value in header) client.Peer.Send([0x17, 3, 3, 0, 0, 0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, 0, 1, value]);
        _stage.Run();
        Assert.True(_stage.LatestDc().IsGreeted);
    }

    [Fact]
    public void A_client_without_a_header_is_let_go_a_minute_after_the_flight_however_many_bytes_it_sends()
    {
        var client = _stage.Call();
        _stage.Advance(5);
        client.Peer.Send(client.Hello);
        _stage.Run();
        for (var second = 0; second < 59; second++)
        {
            client.Peer.Send(client.Header.AsSpan(second, 1));
            _stage.Advance(1);
        }

        _stage.Advance(0.9);
        _stage.AssertOpen();
        _stage.Advance(0.2);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        _stage.AssertClosed("header_timeout (client)");
        Assert.Equal(1, _stage.Metrics.Sum("portico.timeouts", "phase", "handshake"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(40)]
    public void A_client_that_resets_or_ends_before_its_header_is_complete_leaves_nothing(int sent)
    {
        foreach (var reset in new[] { true, false })
        {
            var client = _stage.Call();
            client.Peer.Send(client.Hello);
            _stage.Run();
            client.Peer.Send(client.Header.AsSpan(0, sent));
            _stage.Run();
            if (reset) client.Peer.Reset();
            else client.Peer.Finish();
            _stage.Run();
            if (!reset) Assert.Equal(PeerEnd.Fin, client.Peer.End);
        }

        Assert.Empty(_stage.Loop.Connects);
        _stage.AssertClosed("client_reset (client)", "client_closed (client)");
    }

    [Fact]
    public void A_client_that_resets_while_the_flight_is_stuck_leaves_nothing()
    {
        var client = _stage.Call();
        client.Peer.ReadsAtOnce = false;
        client.Peer.ToPeer.Capacity = 100;
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.NotEqual(0, _stage.Loop.Buffers.Rented);
        client.Peer.Reset();
        _stage.Run();
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void A_client_that_never_takes_the_flight_is_let_go_at_the_headers_deadline()
    {
        var client = _stage.Call();
        client.Peer.ReadsAtOnce = false;
        client.Peer.ToPeer.Capacity = 100;
        client.Peer.Send(client.Hello);
        _stage.Advance(61);
        _stage.AssertClosed("header_timeout (client)");
    }

    [Theory]
    [InlineData(0xefefefefu, "tls_bad_inner_protocol")]
    [InlineData(0xeeeeeeeeu, "tls_bad_inner_protocol")]
    [InlineData(0x12345678u, "unknown_protocol")]
    public void A_wrong_tag_inside_tls_ends_with_one_encrypted_alert(uint tag, string reason)
    {
        var client = _stage.Call(new ClientTraits { Tag = tag });
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        client.Peer.Send(client.Header);
        client.Say(new byte[5000]);
        _stage.Run();
        AssertAlert(client);
        Assert.Equal(0, client.Peer.Unread);
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", reason));
        _stage.AssertOpen();
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.Empty(_stage.Loop.Connects);
        _stage.AssertClosed($"{reason} (client)");
        Assert.Single(_stage.Metrics.Of("portico.protocol.error"));
    }

    [Theory]
    [InlineData("160303")]
    [InlineData("170301")]
    [InlineData("18")]
    [InlineData("474554202f")]
    public void A_record_no_tls_peer_sends_is_met_at_once_with_one_encrypted_alert_and_fin(string garbage)
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        client.Peer.Send(Convert.FromHexString(garbage));
        client.Peer.Send(new byte[2000]);
        _stage.Run();
        AssertAlert(client);
        Assert.Equal(1, _stage.Metrics.Sum("portico.protocol.error", "reason", "tls_bad_record"));
        _stage.AssertOpen(); // what still comes is read away: a close over unread bytes would be a reset
        _stage.Advance(5.1);
        _stage.AssertClosed("tls_bad_record (client)");
    }

    [Fact]
    public void No_two_encrypted_alerts_are_alike()
    {
        var seen = new HashSet<string>();
        for (var i = 0; i < 8; i++)
        {
            var client = _stage.Call();
            client.Peer.Send(client.Hello);
            _stage.Run();
            Assert.True(client.HasFlight);
            client.Peer.Send([0xff]);
            _stage.Run();
            Assert.True(seen.Add(Convert.ToHexString(client.Peer.Take())));
        }
    }

    [Fact]
    public void An_alert_of_the_client_is_answered_with_fin_and_no_byte()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        client.Peer.Send([0x15, 3, 3, 0, 2, 1, 0]);
        _stage.Run();
        Assert.Empty(client.Peer.Take());
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.False(client.Peer.IsReleased);
        client.Peer.Finish();
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void A_client_that_says_goodbye_and_never_ends_is_let_go_after_five_seconds()
    {
        var client = _stage.Call();
        client.Peer.Send([.. client.Hello, 0x15, 3, 3, 0, 2, 1, 0]);
        _stage.Advance(4.9);
        Assert.False(client.Peer.IsReleased);
        _stage.Advance(0.2);
        _stage.AssertClosed("client_closed (client)");
    }

    private static void AssertAlert(StageClient client)
    {
        var answer = client.Peer.Take();
        Assert.Equal([0x17, 3, 3, 0, 19], answer[..5]);
        Assert.Equal(24, answer.Length);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
    }
}
