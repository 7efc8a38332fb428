using System.Buffers.Binary;
using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

public class RpcHandshakeTests
{
    private static readonly byte[] Ours = [.. RpcHandshake.AnonymousPid];
    private static readonly byte[] Theirs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    [Theory]
    [InlineData(0x0u, MiddleProxyError.None)]
    [InlineData(0x100u, MiddleProxyError.None)]
    [InlineData(0xfffff700u, MiddleProxyError.None)]
    [InlineData(0x1u, MiddleProxyError.WrongHandshakeFlags)]
    [InlineData(0x80u, MiddleProxyError.WrongHandshakeFlags)]
    [InlineData(0x800u, MiddleProxyError.WrongHandshakeFlags)]
    [InlineData(0xffffffffu, MiddleProxyError.WrongHandshakeFlags)]
    public void Flags_are_let_pass_unless_they_change_what_follows(uint flags, MiddleProxyError error)
    {
        var payload = Handshake(Theirs, Ours);
        BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(4), flags);

        Assert.Equal(error == MiddleProxyError.None, RpcHandshake.TryReadAnswer(payload, Ours, out var found));
        Assert.Equal(error, found);
    }

    [Fact]
    public void An_answer_to_somebody_else_is_refused_by_the_proxy_and_read_by_a_server()
    {
        var payload = Handshake(Ours, Theirs);

        Assert.False(RpcHandshake.TryReadAnswer(payload, Ours, out var error));
        Assert.Equal(MiddleProxyError.WrongPeerPid, error);
        Assert.True(RpcHandshake.TryRead(payload, out var message, out _));
        Assert.Equal(Theirs, message.PeerPid);
    }

    [Fact]
    public void A_nonce_with_another_encryption_or_for_another_secret_says_which()
    {
        var payload = new byte[RpcNonce.Length];
        RpcNonce.Write(payload, 7, uint.MaxValue, new byte[RpcNonce.NonceLength]);

        Assert.True(RpcNonce.TryRead(payload, 7, out var message, out _));
        Assert.Equal(uint.MaxValue, message.Timestamp);
        Assert.False(RpcNonce.TryRead(payload, 8, out _, out var error));
        Assert.Equal(MiddleProxyError.WrongKeySelector, error);
        payload[8] = 2;
        Assert.False(RpcNonce.TryRead(payload, 7, out _, out error));
        Assert.Equal(MiddleProxyError.WrongCryptoSchema, error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("000000")]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("aa87cb7a000000000100000000000000000000000000000000000000000000000000")]
    [InlineData("f5ee827600000000000000000000000000000000000000000000000000000000000000000000")]
    public void Hostile_bytes_are_no_message_of_the_handshake(string hex)
    {
        var payload = Vectors.Hex(hex);

        Assert.False(RpcNonce.TryRead(payload, 0, out _, out var nonce));
        Assert.False(RpcHandshake.TryReadAnswer(payload, Ours, out var handshake));
        Assert.False(RpcHandshakeError.TryRead(payload, out _));
        Assert.Equal((MiddleProxyError.UnexpectedMessage, MiddleProxyError.UnexpectedMessage), (nonce, handshake));
    }

    [Fact]
    public void Every_error_has_a_name_of_its_own()
    {
        var tags = Enum.GetValues<MiddleProxyError>().Select(error => error.Tag()).ToList();

        Assert.Equal(tags.Count, tags.Distinct().Count());
        Assert.All(tags, tag => Assert.Matches("^[a-z]+(_[a-z]+)*$", tag));
        Assert.Throws<System.Diagnostics.UnreachableException>(() => ((MiddleProxyError)255).Tag());
    }

    private static byte[] Handshake(byte[] sender, byte[] peer)
    {
        var payload = new byte[RpcHandshake.Length];
        RpcHandshake.Write(payload, sender, peer);
        return payload;
    }
}
