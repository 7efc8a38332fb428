using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>A client that asks and then finishes sending: what it waits for is delivered, as in direct mode.</summary>
public sealed class HalfCloseTests : IDisposable
{
    private readonly MiddleStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void The_answers_that_are_due_are_delivered_before_the_end()
    {
        var (client, link, id) = _stage.Introduce();
        client.Peer.Finish();
        _stage.Run();
        Assert.False(client.IsEnded);
        Assert.Empty(link.Farewells);
        for (var i = 0; i < 3; i++)
        {
            _stage.Advance(0.3);
            link.Answer(id, new byte[5000]);
            _stage.Run();
        }

        Assert.Equal([5000, 5000, 5000], client.Packets.Select(packet => packet.Length));
        _stage.Advance(0.6);
        Assert.True(client.IsEnded);
        Assert.Equal([id], link.Farewells);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void Who_never_gets_an_answer_is_given_ten_seconds()
    {
        var (client, _, _) = _stage.Introduce();
        client.Peer.Finish();
        _stage.Advance(9.9);
        Assert.False(client.IsEnded);
        _stage.Advance(0.2);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void What_waits_for_a_slow_reader_is_written_after_it_has_finished_sending()
    {
        var (client, link, id) = _stage.Rest();
        client.Peer.ReadsAtOnce = false;
        link.Answer(id, new byte[300_000]);
        _stage.Run();
        client.Peer.Finish();
        _stage.Advance(5);
        Assert.False(client.IsEnded);
        client.Peer.ReadsAtOnce = true;
        _stage.Run();
        Assert.Equal(300_000, client.Packets[^1].Length);
        _stage.Advance(0.6);
        _stage.AssertClosed("client_closed (client)");
    }

    [Fact]
    public void A_link_that_dies_takes_what_was_due_with_it()
    {
        var (client, link, _) = _stage.Introduce();
        client.Peer.Finish();
        _stage.Run();
        link.Finish();
        _stage.Run();
        Assert.True(client.IsEnded);
        _stage.AssertClosed("client_closed (client)");
    }
}
