using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// Signs the tokens of sessions, and knows its own again after they expired or the process was restarted, without a table.
/// Prints as a placeholder.
/// </summary>
/// <remarks>
/// <code>
/// | random: 16 | first 16 bytes of HMAC-SHA256(key, "portico-web-token-v1" 00 | kind: 1 | random) |
///     as 43 characters of base64url; kind 1 = bootstrap, 2 = session
/// </code>
/// </remarks>
public sealed class WebTokenKey
{
    /// <summary>Length of the key, in bytes.</summary>
    public const int Length = 32;

    /// <summary>Random bytes in a token.</summary>
    public const int RandomLength = 16;

    /// <summary>Characters of a token.</summary>
    public const int TextLength = CredentialText.Length;

    // Label, kind, random.
    private const int MessageLength = 21 + 1 + RandomLength;

    private readonly byte[] _key;

    private WebTokenKey(byte[] key) => _key = key;

    private static ReadOnlySpan<byte> Label => "portico-web-token-v1\0"u8;

    /// <summary>Copies <paramref name="key"/>.</summary>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public static WebTokenKey Create(ReadOnlySpan<byte> key) =>
        key.Length == Length
            ? new WebTokenKey(key.ToArray())
            : throw new ArgumentException($"a key for tokens has {Length} bytes, not {key.Length}", nameof(key));

    /// <summary>Makes a token.</summary>
    /// <param name="kind">What for.</param>
    /// <param name="random">16 bytes that nobody can guess, never used before.</param>
    /// <returns>43 characters.</returns>
    public string Mint(WebTokenKind kind, ReadOnlySpan<byte> random)
    {
        Debug.Assert(kind is WebTokenKind.Bootstrap or WebTokenKind.Session);
        Span<byte> token = stackalloc byte[CredentialText.ByteLength];
        random[..RandomLength].CopyTo(token);
        Sign(kind, token[..RandomLength], token[RandomLength..]);
        return CredentialText.Encode(token);
    }

    /// <summary>Whether a text is a token of ours, in a time that tells nothing about how nearly it is one.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="token">What it says.</param>
    public bool TryRead(ReadOnlySpan<char> text, out WebToken token)
    {
        token = default;
        Span<byte> bytes = stackalloc byte[CredentialText.ByteLength];
        if (!CredentialText.TryDecode(text, bytes))
            return false;

        var random = bytes[..RandomLength];
        var signature = bytes[RandomLength..];
        // Both kinds always: which of them fits is not to be heard either.
        var isBootstrap = IsSigned(WebTokenKind.Bootstrap, random, signature);
        var isSession = IsSigned(WebTokenKind.Session, random, signature);
        if (!(isBootstrap | isSession))
            return false;
        token = new WebToken(
            isBootstrap ? WebTokenKind.Bootstrap : WebTokenKind.Session, BinaryPrimitives.ReadUInt128BigEndian(random));
        return true;
    }

    /// <summary>Never the bytes: logs, exceptions and debuggers print this.</summary>
    public override string ToString() => "[key]";

    private bool IsSigned(WebTokenKind kind, ReadOnlySpan<byte> random, ReadOnlySpan<byte> signature)
    {
        Span<byte> expected = stackalloc byte[RandomLength];
        Sign(kind, random, expected);
        return CryptographicOperations.FixedTimeEquals(signature, expected);
    }

    private void Sign(WebTokenKind kind, ReadOnlySpan<byte> random, Span<byte> signature)
    {
        Span<byte> message = stackalloc byte[MessageLength];
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Label.CopyTo(message);
        message[Label.Length] = (byte)kind;
        random.CopyTo(message[(Label.Length + 1)..]);
        HMACSHA256.HashData(_key, message, digest);
        digest[..signature.Length].CopyTo(signature);
    }
}
