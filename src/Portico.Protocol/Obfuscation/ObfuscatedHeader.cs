using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol.Crypto;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.Obfuscation;

/// <summary>The 64 bytes that open an obfuscated connection (spec/01 section 2; towards a DC: spec/04 sections 3 and 5).</summary>
/// <remarks>
/// <code>
///  0        8                                 40                56    60   62   64
///  | random | key material, 32                | iv material, 16 | tag | dc | -- |
///           '--- reversed as a whole: the other direction ------'----- encrypted'
/// </code>
/// With a secret each key is SHA-256(material, secret); without one it is the material. The counter block is never hashed.
/// </remarks>
public static class ObfuscatedHeader
{
    /// <summary>Length of the header, in bytes.</summary>
    public const int Length = 64;

    /// <summary>How many bytes at the front <see cref="HasForbiddenStart"/> looks at.</summary>
    public const int StartLength = 8;

    private const int MaterialOffset = StartLength;
    private const int MaterialLength = AesKeyIv.KeyLength + AesKeyIv.IvLength;
    private const int IvOffset = MaterialOffset + AesKeyIv.KeyLength;
    private const int TagOffset = MaterialOffset + MaterialLength;
    private const int DcOffset = TagOffset + 4;

    // The last of the four cipher blocks is the only one anybody needs:
    // it holds tag and DC, and behind it the stream stands at position 64.
    private const int BlockLength = 16;
    private const int LastBlockOffset = Length - BlockLength;
    private const int LastBlockIndex = LastBlockOffset / BlockLength;

    /// <summary>The server's side: tries one secret. Allocates nothing; a stranger costs one call per configured secret.</summary>
    /// <param name="header">At least 64 bytes as received; more are ignored.</param>
    /// <param name="secret">The secret to try, or null for a client that uses none.</param>
    /// <param name="streams">Both directions, ready for the first byte after the header.</param>
    /// <param name="transport">The framing the client will use.</param>
    /// <param name="dcId">
    /// The DC the client asks for: 1 to 5, negative for media, 203 for the CDN,
    /// 10000 more for the test site, 0 when it does not say; any other value is possible.
    /// </param>
    /// <returns>False when this secret gives no known tag.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 64 bytes.</exception>
    public static bool TryRead(
        ReadOnlySpan<byte> header, ProxySecret? secret, out ObfuscatedStreams streams, out Transport transport, out short dcId)
    {
        header = header[..Length];
        Span<byte> lastBlock = stackalloc byte[BlockLength];
        header[LastBlockOffset..].CopyTo(lastBlock);
        var clientToServer = LastBlockStream(header, secret);
        clientToServer.Transform(lastBlock);

        if (!TransportTag.TryParse(BinaryPrimitives.ReadUInt32LittleEndian(lastBlock[(TagOffset - LastBlockOffset)..]), out transport))
        {
            streams = default;
            dcId = 0;
            return false;
        }

        dcId = BinaryPrimitives.ReadInt16LittleEndian(lastBlock[(DcOffset - LastBlockOffset)..]);
        streams = Pair(header, secret, clientToServer);
        return true;
    }

    /// <summary>
    /// The client's side. Outside TLS the caller redraws the first 8 bytes
    /// while <see cref="HasForbiddenStart"/>; inside, clients do not care.
    /// </summary>
    /// <param name="header">In: 64 random bytes. Out: the bytes to send.</param>
    /// <param name="secret">The proxy's secret, or null where none is used.</param>
    /// <param name="transport">The framing that follows.</param>
    /// <param name="dcId">The DC to ask for, as in <see cref="TryRead"/>.</param>
    /// <param name="streams">Both directions, ready for the first byte after the header.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 64 bytes.</exception>
    public static void Write(Span<byte> header, ProxySecret? secret, Transport transport, short dcId, out ObfuscatedStreams streams)
    {
        header = header[..Length];
        BinaryPrimitives.WriteUInt32LittleEndian(header[TagOffset..], TransportTag.Of(transport));
        BinaryPrimitives.WriteInt16LittleEndian(header[DcOffset..], dcId);

        Span<byte> lastBlock = stackalloc byte[BlockLength];
        header[LastBlockOffset..].CopyTo(lastBlock);
        var clientToServer = LastBlockStream(header, secret);
        clientToServer.Transform(lastBlock);

        // The iv material in front of the tag travels in clear, or the server could not derive anything.
        lastBlock[(TagOffset - LastBlockOffset)..].CopyTo(header[TagOffset..]);
        streams = Pair(header, secret, clientToServer);
    }

    /// <summary>
    /// The proxy's own header to a DC, with keys of its own:
    /// every byte is decrypted from one side and encrypted for the other.
    /// </summary>
    /// <param name="header">In: 64 random bytes, not <see cref="HasForbiddenStart"/>. Out: the bytes to send.</param>
    /// <param name="transport">The client's framing: packets pass unparsed.</param>
    /// <param name="dcId">The DC, signed as the client gave it.</param>
    /// <param name="toDc">Position 64.</param>
    /// <param name="fromDc">Position 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 64 bytes.</exception>
    public static void WriteToDc(Span<byte> header, Transport transport, short dcId, out AesCtr toDc, out AesCtr fromDc)
    {
        Write(header, secret: null, transport, dcId, out var streams);
        toDc = streams.ClientToServer;
        fromDc = streams.ServerToClient;
    }

    /// <summary>
    /// The header for pass-through: the DC is made to answer in the very stream the client
    /// expects, so its bytes are copied without a cipher (spec/04 section 5).
    /// </summary>
    /// <param name="header">
    /// In: 64 random bytes, not <see cref="HasForbiddenStart"/>.
    /// Out: the bytes to send; the start and the last two stay random.
    /// </param>
    /// <param name="transport">The client's framing: packets pass unparsed.</param>
    /// <param name="dcId">The DC, signed as the client gave it.</param>
    /// <param name="clientKey">Where the client's server-to-client stream begins. The proxy must not add a byte of its own to it.</param>
    /// <param name="toDc">Position 64. The DC's answers need no stream here.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fewer than 64 bytes.</exception>
    public static void WriteToDc(Span<byte> header, Transport transport, short dcId, in AesKeyIv clientKey, out AesCtr toDc)
    {
        clientKey.CopyReversedTo(header[MaterialOffset..]);
        WriteToDc(header, transport, dcId, out toDc, out _);
    }

    /// <summary>The 48 bytes by which a repeated header is recognised: everything that decides the keys.</summary>
    /// <param name="header">At least 64 bytes as received.</param>
    public static ReadOnlySpan<byte> ReplayFingerprint(ReadOnlySpan<byte> header) => header.Slice(MaterialOffset, MaterialLength);

    /// <summary>
    /// Whether a DC or a middlebox would take these 8 bytes for another protocol (spec/01 section 2.4).
    /// For those who make headers; a reader accepts them all.
    /// </summary>
    /// <param name="start">At least 8 bytes.</param>
    public static bool HasForbiddenStart(ReadOnlySpan<byte> start)
    {
        const byte abridgedWithoutHeader = 0xef;
        const uint tls = 0x16030102;
        if (start[0] == abridgedWithoutHeader || start[4..StartLength].IndexOfAnyExcept((byte)0) < 0)
            return true;

        var word = start[..4];
        return word.SequenceEqual("HEAD"u8) || word.SequenceEqual("POST"u8) || word.SequenceEqual("GET "u8) || word.SequenceEqual("OPTI"u8)
            || BinaryPrimitives.ReadUInt32BigEndian(word) == tls
            || TransportTag.TryParse(BinaryPrimitives.ReadUInt32LittleEndian(word), out _);
    }

    private static AesCtr LastBlockStream(ReadOnlySpan<byte> header, ProxySecret? secret)
    {
        Span<byte> key = stackalloc byte[AesKeyIv.KeyLength];
        DeriveKey(header.Slice(MaterialOffset, AesKeyIv.KeyLength), secret, key);
        Span<byte> counter = stackalloc byte[AesKeyIv.IvLength];
        var iv = BinaryPrimitives.ReadUInt128BigEndian(header.Slice(IvOffset, AesKeyIv.IvLength));
        BinaryPrimitives.WriteUInt128BigEndian(counter, unchecked(iv + LastBlockIndex));
        return new AesCtr(key, counter);
    }

    private static ObfuscatedStreams Pair(ReadOnlySpan<byte> header, ProxySecret? secret, AesCtr clientToServer)
    {
        Span<byte> reversed = stackalloc byte[MaterialLength];
        header.Slice(MaterialOffset, MaterialLength).CopyTo(reversed);
        reversed.Reverse();
        Span<byte> key = stackalloc byte[AesKeyIv.KeyLength];
        DeriveKey(reversed[..AesKeyIv.KeyLength], secret, key);
        var start = new AesKeyIv(key, reversed[AesKeyIv.KeyLength..]);
        return new ObfuscatedStreams { ClientToServer = clientToServer, ServerToClient = start.Start(), ServerToClientKey = start };
    }

    private static void DeriveKey(ReadOnlySpan<byte> material, ProxySecret? secret, Span<byte> key)
    {
        if (secret is null)
        {
            material.CopyTo(key);
            return;
        }

        Span<byte> hashed = stackalloc byte[AesKeyIv.KeyLength + ProxySecret.Length];
        material.CopyTo(hashed);
        secret.Key.CopyTo(hashed[AesKeyIv.KeyLength..]);
        SHA256.HashData(hashed, key);
        CryptographicOperations.ZeroMemory(hashed[AesKeyIv.KeyLength..]);
    }
}
