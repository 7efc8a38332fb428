using System.Text;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>From the handshake's bytes over the connection to the relay: none is lost, none comes twice, whatever the cover had when it changed hands.</summary>
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
        if (proxyProtocol == 1) Assert.StartsWith("PROXY TCP", Encoding.ASCII.GetString([.. got[..header]]), StringComparison.Ordinal);
        Assert.Equal([.. hello, .. behind], got[header..]);
        Assert.Equal(PeerEnd.Fin, cover.End);
        Assert.Equal(PeerEnd.None, peer.End);
        stage.AssertNoFault();
    }
}
