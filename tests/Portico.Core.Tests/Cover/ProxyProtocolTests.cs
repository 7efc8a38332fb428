using System.Net;
using System.Text;
using Portico.Core.Tests.Staging;
using Xunit;

namespace Portico.Core.Tests.Cover;

/// <summary>The cover is told who the stranger is, in front of its first byte.</summary>
public sealed class ProxyProtocolTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_header_names_the_stranger_and_our_address_and_the_bytes_follow(int version)
    {
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { ProxyProtocol = version }));
        var peer = stage.CallRaw();
        peer.Send([0x20, 1]);
        stage.Run();
        Assert.Equal([.. Header(version, peer.Channel!.LocalAddress()!), 0x20, 1], stage.Covers.Single().Take());
        peer.Send([2]);
        stage.Run();
        Assert.Equal([2], stage.Covers.Single().Take());
    }

    [Fact]
    public void Somebody_nobody_can_tell_is_announced_when_the_cover_is_opened_and_once()
    {
        using var stage = new Stage(change: Stage.WithCover(cover => cover with { ProxyProtocol = 1 }));
        var client = stage.Call();
        stage.Advance(1);
        var header = Header(1, client.Peer.Channel!.LocalAddress()!);
        Assert.Equal(header, stage.Covers.Single().Take());
        client.Peer.Send(client.Hello.AsSpan(0, 10));
        stage.Run();
        Assert.Equal(client.Hello[..10], stage.Covers.Single().Take());
    }

    private static byte[] Header(int version, IPEndPoint ours) => version == 1
        ? Encoding.ASCII.GetBytes($"PROXY TCP4 192.0.2.1 127.0.0.1 50000 {ours.Port}\r\n")
        : [.. "\r\n\r\n\0\r\nQUIT\n"u8, 0x21, 0x11, 0, 12, 192, 0, 2, 1, 127, 0, 0, 1, 0xc3, 0x50, (byte)(ours.Port >> 8), (byte)ours.Port];
}
