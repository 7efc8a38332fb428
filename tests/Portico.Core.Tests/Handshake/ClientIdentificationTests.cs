using Portico.Core.Tests.Staging;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Handshake;

public sealed class ClientIdentificationTests : IDisposable
{
    private readonly Stage _stage = new();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void A_silent_caller_is_let_go_after_ten_seconds()
    {
        var peer = _stage.CallRaw();
        _stage.Advance(9.9);
        Assert.Equal(PeerEnd.None, peer.End);
        _stage.Advance(0.2);
        Assert.Equal(PeerEnd.Fin, peer.End);
        Assert.Empty(peer.Take());
        _stage.AssertClosed("handshake_timeout (client)");
        Assert.Equal(1, _stage.Metrics.Sum("portico.timeouts", "phase", "handshake"));
    }

    [Fact]
    public void A_byte_per_second_of_a_good_hello_does_not_move_the_deadline()
    {
        var client = _stage.Call();
        for (var second = 0; second < 9; second++)
        {
            client.Peer.Send(client.Hello.AsSpan(second, 1));
            _stage.Advance(1);
        }

        _stage.Advance(0.9);
        _stage.AssertOpen();
        _stage.Advance(0.2);
        _stage.AssertClosed("handshake_timeout (client)");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    public void A_caller_that_ends_before_anybody_can_tell_is_just_gone(int sent)
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, sent));
        client.Peer.Finish();
        _stage.Run();
        Assert.Empty(client.Peer.Take());
        _stage.AssertClosed("client_closed (client)");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(300)]
    public void A_caller_that_resets_leaves_nothing(int sent)
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, sent));
        _stage.Run();
        client.Peer.Reset();
        _stage.Run();
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void The_longest_hello_is_collected_whole()
    {
        // Ours in fragments of 1 byte up to the limit of records, then one that holds the rest.
        var client = _stage.Call();
        var message = client.Hello[5..];
        byte[] raw = [];
        for (var i = 0; i < 7; i++) raw = [.. raw, 0x16, 3, 1, 0, 1, message[i]];
        raw = [.. raw, 0x16, 3, 1, (byte)((message.Length - 7) >> 8), (byte)(message.Length - 7), .. message[7..]];
        foreach (var value in raw)
        {
            client.Peer.Send([value]);
            _stage.Run();
        }

        Assert.True(client.HasFlight);
    }

    [Fact]
    public void An_endless_hello_is_a_stranger_as_soon_as_it_tells_its_length()
    {
        var peer = _stage.CallRaw();
        // A message that claims 16 000 bytes, in records of 1000.
        peer.Send([0x16, 3, 1, 3, 0xe8, 1, 0, 0x3e]);
        _stage.Run();
        Assert.Equal(PeerEnd.None, peer.End);
        peer.Send([0x80]);
        _stage.Run();
        Assert.Equal(PeerEnd.Fin, peer.End);
        Assert.Empty(peer.Take());
        peer.Send(new byte[1000]);
        peer.Finish();
        _stage.Run();
        _stage.AssertClosed("tls_client_hello_too_long (client)");
    }

    [Fact]
    public void A_hello_in_records_without_an_end_is_malformed_at_the_ninth()
    {
        var peer = _stage.CallRaw();
        for (var i = 0; i < 9 && peer.End == PeerEnd.None; i++)
        {
            byte[] record = [0x16, 3, 1, 0, 200, .. new byte[200]];
            if (i == 0) new byte[] { 1, 0, 0x0f, 0xa0 }.CopyTo(record, 5);
            peer.Send(record);
            _stage.Run();
        }

        Assert.Equal("15030300020232", Convert.ToHexStringLower(peer.Take()));
        peer.Finish();
        _stage.Run();
        _stage.AssertClosed("tls_bad_client_hello (client)");
    }
}
