using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;

namespace Portico.SelfTest;

/// <summary>A client's 64 bytes (spec/01 section 2).</summary>
internal static class ClientHeader
{
    private const int Tag = 56, DcId = 60;

    /// <summary>Draws and writes a header.</summary>
    /// <param name="header">64 bytes.</param>
    /// <param name="secret">The proxy's.</param>
    /// <param name="transport">The framing that follows.</param>
    /// <param name="dcId">Signed id.</param>
    /// <param name="streams">Both streams at their first packet.</param>
    public static void Write(Span<byte> header, ProxySecret secret, Transport transport, short dcId, out ObfuscatedStreams streams)
    {
        do RandomNumberGenerator.Fill(header);
        while (ObfuscatedHeader.HasForbiddenStart(header));
        Span<byte> key = stackalloc byte[32 + ProxySecret.Length];
        header.Slice(8, 32).CopyTo(key);
        secret.Key.CopyTo(key[32..]);
        SHA256.HashData(key, key);
        Span<byte> plain = stackalloc byte[ObfuscatedHeader.Length];
        plain[Tag..DcId].Fill(transport switch { Transport.Abridged => 0xef, Transport.Intermediate => 0xee, _ => 0xdd });
        BinaryPrimitives.WriteInt16LittleEndian(plain[DcId..], dcId);
        var cipher = new Portico.Protocol.Crypto.AesCtr(key[..32], header.Slice(40, 16));
        cipher.Transform(plain);
        plain[Tag..].CopyTo(header[Tag..]);
        ObfuscatedHeader.TryRead(header, secret, out streams, out _, out _);
    }
}
