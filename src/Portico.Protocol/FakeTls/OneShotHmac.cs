using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.FakeTls;

/// <summary>
/// HMAC-SHA256 (RFC 2104) as two calls of SHA-256 over a message with a free
/// block in front of it: the form that keeps nothing per secret.
/// </summary>
internal static class OneShotHmac
{
    /// <summary>Bytes of a SHA-256 block: what a caller leaves free in front of the message.</summary>
    public const int BlockLength = 64;

    private const byte InnerPad = 0x36, OuterPad = 0x5c;

    /// <summary>
    /// Signs what stands behind the first block of <paramref name="blockAndMessage"/>;
    /// the block itself is written and cleared.
    /// </summary>
    /// <param name="blockAndMessage">64 bytes of any content, then the message.</param>
    /// <param name="key">The key: the 16 bytes of a secret.</param>
    /// <param name="digest">32 bytes.</param>
    public static void Compute(Span<byte> blockAndMessage, ReadOnlySpan<byte> key, Span<byte> digest)
    {
        Span<byte> outer = stackalloc byte[BlockLength + HmacKey.DigestLength];
        WritePaddedKey(blockAndMessage, key, InnerPad);
        WritePaddedKey(outer, key, OuterPad);
        SHA256.HashData(blockAndMessage, outer[BlockLength..]);
        SHA256.HashData(outer, digest);
        CryptographicOperations.ZeroMemory(blockAndMessage[..ProxySecret.Length]);
        CryptographicOperations.ZeroMemory(outer[..ProxySecret.Length]);
    }

    // The key is 16 bytes, shorter than a block: zeros follow it, so the rest of the block is the pad alone.
    private static void WritePaddedKey(Span<byte> block, ReadOnlySpan<byte> key, byte pad)
    {
        block[ProxySecret.Length..BlockLength].Fill(pad);
        (Vector128.Create(key) ^ Vector128.Create(pad)).CopyTo(block);
    }
}
