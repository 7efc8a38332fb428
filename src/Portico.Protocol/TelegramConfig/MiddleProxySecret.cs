using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Portico.Protocol.TelegramConfig;

/// <summary>
/// What getProxySecret gives: the secret that Telegram shares with all proxies (spec/03 section 1).
/// No client has to do with it. Prints as a placeholder, compares in constant time.
/// </summary>
public sealed class MiddleProxySecret : IEquatable<MiddleProxySecret>
{
    /// <summary>The shortest document to believe, in bytes.</summary>
    public const int MinLength = 32;

    /// <summary>The longest document to believe, in bytes. Today it has 128.</summary>
    public const int MaxLength = 256;

    private readonly byte[] _bytes;

    private MiddleProxySecret(byte[] bytes) => _bytes = bytes;

    /// <summary>All bytes. The caller must not copy them into anything that is logged.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The first four bytes as a little-endian number: how the two sides of a link agree on which secret they mean.</summary>
    public uint KeySelector => BinaryPrimitives.ReadUInt32LittleEndian(_bytes);

    /// <summary>Copies a document as downloaded; false if its length is not that of a secret.</summary>
    public static bool TryCreate(ReadOnlySpan<byte> document, [NotNullWhen(true)] out MiddleProxySecret? secret)
    {
        secret = document.Length is >= MinLength and <= MaxLength ? new MiddleProxySecret(document.ToArray()) : null;
        return secret is not null;
    }

    /// <inheritdoc/>
    public bool Equals(MiddleProxySecret? other) => other is not null && CryptographicOperations.FixedTimeEquals(_bytes, other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MiddleProxySecret);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)KeySelector;

    /// <summary>Never the bytes: logs, exceptions and debuggers print this.</summary>
    public override string ToString() => "[secret]";
}
