using System.Text;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>
/// From the handshake's bytes over the connection to the relay:
/// none is lost, none comes twice, whatever the cover had when it changed hands.
/// </summary>
public sealed class CoverHandOverTests
{
    [Theory]
    [InlineData(0, 10)] // the cover's kernel takes a part of the PROXY header
    [InlineData(1, 10)]
    [InlineData(2, 10)]
    [InlineData(1, 60)] // the header and some bytes
    [InlineData(0, 5000)]
    [InlineData(2, 1_000_000)]
    public void A_cover_that_took_a_part_before_the_judge_had_decided_gets_the_rest(int proxyProtocol, int capacity)
    {
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { ProxyProtocol = proxyProtocol }));
        stage.Loop.Connected = connect => { connect.Peer.ReadsAtOnce = false; connect.Peer.ToPeer.Capacity = capacity; };

        // A record of the longest hello, which is complete with its last byte only.
        var hello = Enumerable.Range(0, 16384).Select(i => (byte)(i * 31)).ToArray();
        byte[] head = [0x16, 3, 1, 0x3f, 0xfc, 1, 0, 0x3f, 0xf8, 3, 3];
        head.CopyTo(hello, 0);
        var behind = Enumerable.Range(0, 40_000).Select(i => (byte)(i * 7)).ToArray();
        var peer = stage.CallRaw();
        peer.Send(hello.AsSpan(0, 9000));
        stage.Advance(1);
        peer.Send(hello.AsSpan(9000, 7000));
        stage.Advance(1);
        peer.Send(hello.AsSpan(16000));
        peer.Send(behind);
        peer.Finish();
        stage.Run();

        var cover = stage.Covers.Single();
        var got = new List<byte>();
        var buffer = new byte[3000];
        while (cover.Read(buffer) is var count and > 0)
        {
            got.AddRange(buffer[..count]);
            stage.Run();
        }

        var header = got.Count - hello.Length - behind.Length;
        Assert.Equal(proxyProtocol switch { 0 => 0, 1 => got.IndexOf((byte)'\n') + 1, _ => 28 }, header);
        if (proxyProtocol == 1)
            Assert.StartsWith("PROXY TCP", Encoding.ASCII.GetString([.. got[..header]]), StringComparison.Ordinal);
        Assert.Equal([.. hello, .. behind], got[header..]);
        Assert.Equal(PeerEnd.Fin, cover.End);
        Assert.Equal(PeerEnd.None, peer.End);
        stage.AssertNoFault();
    }

    [Fact]
    public void Pieces_that_came_before_the_cover_stood_reach_it_one_by_one_as_they_came()
    {
        using var stage = new Stage(change: Stage.WithCover());
        stage.Loop.Connected = connect => connect.Peer.ReadsAtOnce = false;
        byte[] hello = [0x16, 3, 1, 0x02, 0x00, 1, 0, 0x01, 0xfc, 3, 3];
        var peer = stage.CallRaw();
        peer.Send(hello);
        stage.Run();
        stage.Advance(0.02);
        peer.Send("second"u8);
        stage.Run();
        stage.Advance(0.02);
        peer.Send("third"u8);
        stage.Run();
        Assert.Empty(stage.Covers);

        // Nobody can tell for 50 ms, or a tick more: to the cover with it.
        var buffer = new byte[3000];
        var arrived = new List<(string Text, int Ms)>();
        for (var ms = 0; ms < 120; ms++)
        {
            stage.Advance(0.001);
            if (stage.Covers.SingleOrDefault()?.Read(buffer) is int count and > 0)
                arrived.Add((Encoding.Latin1.GetString(buffer, 0, count), ms));
        }

        Assert.Equal([Encoding.Latin1.GetString(hello), "second", "third"], arrived.Select(piece => piece.Text));
        Assert.InRange(arrived[1].Ms - arrived[0].Ms, 10, 30);
        Assert.InRange(arrived[2].Ms - arrived[1].Ms, 10, 30);
        var cover = stage.Covers.Single();
        peer.Send("fourth"u8);
        stage.Run();
        Assert.Equal("fourth"u8, buffer.AsSpan(0, cover.Read(buffer)));
        stage.AssertNoFault();
    }

    [Fact]
    public void What_came_at_once_reaches_the_cover_at_once()
    {
        using var stage = new Stage(change: Stage.WithCover());
        var bytes = Enumerable.Range(0, 12_000).Select(i => (byte)(i * 31)).ToArray();
        "GET / HTTP/1.1\r\n"u8.CopyTo(bytes);
        stage.Loop.Connected = connect => connect.Peer.ReadsAtOnce = false;
        stage.CallRaw().Send(bytes);
        stage.Run();
        var buffer = new byte[20_000];
        Assert.Equal(bytes, buffer[..stage.Covers.Single().Read(buffer)]);
        stage.AssertNoFault();
    }
}
