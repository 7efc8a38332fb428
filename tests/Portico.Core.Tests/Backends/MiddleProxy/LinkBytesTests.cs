using System.Net;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Net;
using Portico.Core.Telegram;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Both ends of a link as bytes: what one writer appends, a reader with the same keys takes out, however it is cut.</summary>
public class LinkBytesTests
{
    private readonly BufferPool _buffers = new();

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(16)]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    public void Frames_come_out_whole_and_in_order_however_the_bytes_are_cut(int piece)
    {
        var (writer, reader) = (new LinkWriter(_buffers), new LinkReader(_buffers, checkCrc: true));
        int[] lengths = [8, 0, 4, 1000, 70_000, 12, 40];
        var (wire, got) = (new List<byte>(), new List<int>());
        Append(writer, 32, wire); // the nonce, in plain
        var (encrypt, decrypt) = Keys();
        writer.UseKeys(encrypt);
        foreach (var length in lengths) Append(writer, length, wire);
        Assert.True(writer.IsEmpty);
        for (var at = 0; at < wire.Count;)
        {
            var room = reader.Room();
            var count = Math.Min(Math.Min(piece, room.Length), wire.Count - at);
            wire.GetRange(at, count).ToArray().CopyTo(room);
            reader.Add(count);
            at += count;
            while (reader.TryRead(out var payload, out _) == FrameStatus.Ok)
            {
                if (got.Count == 0) reader.UseKeys(decrypt);
                got.Add(payload.Length);
                Assert.True(payload.IndexOfAnyExcept((byte)payload.Length) < 0);
                reader.Take();
            }
        }

        Assert.Equal([32, .. lengths], got);
        reader.Drop();
        Assert.Equal(0, _buffers.Rented);
    }

    [Fact]
    public void A_frame_out_of_order_is_refused()
    {
        var (writer, reader) = (new LinkWriter(_buffers), new LinkReader(_buffers, checkCrc: true));
        var (first, second) = (new List<byte>(), new List<byte>());
        Append(writer, 8, first);
        Append(writer, 8, second);
        second.ToArray().CopyTo(reader.Room());
        reader.Add(second.Count);
        Assert.Equal(FrameStatus.Invalid, reader.TryRead(out _, out var error));
        Assert.Equal(MiddleProxyError.WrongSequence, error);
    }

    [Fact]
    public void Before_the_link_is_ready_nobody_sends_a_long_frame()
    {
        var (writer, reader) = (new LinkWriter(_buffers), new LinkReader(_buffers, checkCrc: true));
        var wire = new List<byte>();
        Append(writer, 2000, wire);
        wire.GetRange(0, 100).ToArray().CopyTo(reader.Room());
        reader.Add(100);
        Assert.Equal(FrameStatus.Invalid, reader.TryRead(out _, out var error));
        Assert.Equal(MiddleProxyError.WrongLength, error);
    }

    [Fact]
    public void Four_links_encrypted_together_are_as_if_each_were_alone()
    {
        for (var links = 1; links <= 4; links++)
        {
            var together = Enumerable.Range(0, links).Select(_ => Encrypting()).ToArray();
            var alone = Enumerable.Range(0, links).Select(_ => Encrypting()).ToArray();
            LinkWriter.Encrypt(together[0], together.ElementAtOrDefault(1), together.ElementAtOrDefault(2), together.ElementAtOrDefault(3));
            foreach (var one in alone) LinkWriter.Encrypt(one, null, null, null);
            for (var i = 0; i < links; i++) Assert.Equal(alone[i].Ready.ToArray(), together[i].Ready.ToArray());
        }
    }

    private LinkWriter Encrypting()
    {
        var writer = new LinkWriter(_buffers);
        writer.UseKeys(Keys().Encrypt);
        writer.BeginFrame(100).Fill(9);
        writer.EndFrame(100);
        writer.Pad();
        return writer;
    }

    private static void Append(LinkWriter writer, int length, List<byte> wire)
    {
        writer.BeginFrame(length).Fill((byte)length);
        writer.EndFrame(length);
        writer.Pad();
        LinkWriter.Encrypt(writer, null, null, null);
        wire.AddRange(writer.Ready);
        writer.Take(writer.Ready.Length);
    }

    // The two ends of one direction: what the proxy encrypts with, and what its middle proxy decrypts with.
    private static (MiddleProxyCipher Encrypt, MiddleProxyCipher Decrypt) Keys()
    {
        var (nonce, other) = (new byte[RpcNonce.NonceLength], new byte[RpcNonce.NonceLength]);
        var (near, far) = (IPEndPoint.Parse("192.0.2.1:1"), IPEndPoint.Parse("192.0.2.2:2"));
        MiddleProxyKeys.Derive(nonce, other, 1, far, near, EmbeddedConfig.Secret, out var encrypt, out _);
        MiddleProxyKeys.Derive(nonce, other, 1, far, near, EmbeddedConfig.Secret, out var decrypt, out _);
        return (encrypt, decrypt);
    }
}
