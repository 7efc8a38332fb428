using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.TestKit.Clients;

/// <summary>The 64 bytes that a client begins with and the two streams behind them, straight from spec/01 section 2: independent of the product's reader.</summary>
public static class ClientHeader
{
    private const int KeyIvOffset = 8;
    private const int KeyIvLength = 48;
    private const int TagOffset = 56;

    /// <summary>A fresh header on the wire.</summary>
    /// <param name="secret">Null when talking to a data centre.</param>
    /// <param name="tag">Four times this byte: ef, ee or dd in honest clients.</param>
    /// <param name="dc">Signed id.</param>
    /// <param name="toServer">Continues behind the header.</param>
    /// <param name="fromServer">Stands at position 0.</param>
    public static byte[] Create(ProxySecret? secret, byte tag, short dc, out AesCtr toServer, out AesCtr fromServer)
    {
        var header = new byte[ObfuscatedHeader.Length];
        do
            RandomNumberGenerator.Fill(header);
        while (ObfuscatedHeader.HasForbiddenStart(header));
        header.AsSpan(TagOffset, 4).Fill(tag);
        BinaryPrimitives.WriteInt16LittleEndian(header.AsSpan(TagOffset + 4), dc);

        var forward = header.AsSpan(KeyIvOffset, KeyIvLength).ToArray();
        var backward = forward.Reverse().ToArray();
        toServer = Stream(forward, secret);
        fromServer = Stream(backward, secret);
        var encrypted = header.ToArray();
        toServer.Transform(encrypted);
        encrypted.AsSpan(TagOffset).CopyTo(header.AsSpan(TagOffset));
        return header;
    }

    /// <summary>The tag byte of a transport.</summary>
    public static byte Tag(Transport transport) => transport switch
    {
        Transport.Abridged => 0xef,
        Transport.Intermediate => 0xee,
        _ => 0xdd,
    };

    private static AesCtr Stream(byte[] keyIv, ProxySecret? secret)
    {
        var key = secret is null ? keyIv[..32] : SHA256.HashData([.. keyIv[..32], .. secret.Key]);
        return new AesCtr(key, keyIv.AsSpan(32));
    }
}
