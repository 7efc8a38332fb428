using Portico.Core.Tests.Staging;
using Portico.Protocol;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Clients that announce much and send little.</summary>
public sealed class HalfPacketTests : IDisposable
{
    private static readonly ClientTraits Plain = new() { IsTls = false, Transport = Transport.Intermediate };

    // Almost a mebibyte, and five bytes of it.
    private static readonly byte[] Announcement = [0xfc, 0xff, 0x0f, 0x00, 1, 2, 3, 4, 5];

    private readonly MiddleStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void Half_a_packet_that_came_with_the_header_is_timed_too()
    {
        var client = new MiddleClient(_stage.Stage.Call(new ClientTraits()), new ClientTraits().Transport);
        client.Peer.Send([.. client.Inner.Hello, .. client.Inner.Header, .. client.Encode(new byte[2000])[..1000]]);
        _stage.Run();
        _stage.Advance(59);
        Assert.Empty(_stage.Metrics.Closed);
        _stage.Advance(2);
        Assert.True(client.IsEnded);
    }

    [Fact]
    public void An_announced_length_alone_rents_next_to_nothing()
    {
        const int clients = 100;
        for (var i = 0; i < clients; i++) Begin([]);
        Assert.InRange(_stage.Loop.Buffers.Rented, 1, clients * 4096);
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(100_000)]
    [InlineData(600_000)]
    public void What_is_held_grows_with_what_came(int arrived)
    {
        Begin(new byte[arrived]);
        Assert.InRange(_stage.Loop.Buffers.Rented, arrived, 4 * arrived);
    }

    [Fact]
    public void A_long_packet_that_comes_in_many_pieces_arrives_whole()
    {
        var client = _stage.Enter(Plain);
        var packet = new byte[1_000_000];
        new Random(1).NextBytes(packet);
        var wire = client.Encode(packet);
        for (var at = 0; at < wire.Length; at += 7777)
        {
            client.Peer.Send(wire.AsSpan(at, Math.Min(7777, wire.Length - at)));
            _stage.Run();
        }

        Assert.Equal(packet, Assert.Single(Assert.Single(_stage.Links).Requests).Packet);
        _stage.AssertNothingHeld();
    }

    [Fact]
    public void Half_a_packet_without_another_byte_for_a_minute_ends_its_client()
    {
        var client = Begin(new byte[100]);
        _stage.Advance(50);
        client.Peer.Send(client.Inner.Encode(new byte[100]));
        _stage.Advance(59);
        Assert.False(client.IsEnded);
        _stage.Advance(2);
        Assert.True(client.IsEnded);
        _stage.AssertClosed("packet_timeout (client)");
    }

    [Fact]
    public void A_client_that_is_at_rest_between_packets_has_no_such_limit()
    {
        var (client, _, _) = _stage.Rest(Plain);
        client.Peer.Send(client.Encode(new byte[2000]).AsSpan(0, 1000));
        _stage.Run();
        _stage.Advance(10);
        client.Peer.Send(client.Inner.Encode([])); // nothing
        Assert.False(client.IsEnded);
        _stage.Advance(52);
        Assert.True(client.IsEnded);

        var (other, _, _) = _stage.Rest(Plain);
        _stage.Advance(200);
        Assert.False(other.IsEnded);
    }

    [Fact]
    public void Above_the_budget_the_largest_holder_goes_and_the_others_stay()
    {
        _stage.Loop.Buffers.Budget = 1_000_000;
        var small = Enumerable.Range(0, 3).Select(_ => Begin(new byte[50_000])).ToList();
        var large = Begin(new byte[700_000]);
        Assert.True(large.IsEnded);
        Assert.All(small, client => Assert.False(client.IsEnded));
        Assert.Equal(["memory_limit (client)"], _stage.Metrics.Closed);
        Assert.InRange(_stage.Loop.Buffers.Rented, 1, 750_000);
    }

    private MiddleClient Begin(byte[] more)
    {
        var client = _stage.Enter(Plain);
        client.Peer.Send(client.Inner.Encode([.. Announcement, .. more]));
        _stage.Run();
        return client;
    }
}
