using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// The 16 bytes by which Telegram knows which channel a proxy advertises;
/// the bot @MTProxybot gives them out as 32 hex digits (spec/03 section 5.2). Not a secret.
/// </summary>
public sealed class AdTag : IEquatable<AdTag>
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 16;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    private readonly byte[] _bytes;

    private AdTag(byte[] bytes) => _bytes = bytes;

    /// <summary>The 16 bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>Copies <paramref name="bytes"/>.</summary>
    /// <exception cref="ArgumentException">Not 16 bytes.</exception>
    public static AdTag Create(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Length
            ? new AdTag(bytes.ToArray())
            : throw new ArgumentException($"an ad tag has {Length} bytes, not {bytes.Length}", nameof(bytes));

    /// <summary>False unless the text is 32 hexadecimal digits of any case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out AdTag? tag)
    {
        tag = null;
        if (text is not { Length: 2 * Length } || text.AsSpan().ContainsAnyExcept(HexDigits))
            return false;
        tag = new AdTag(Convert.FromHexString(text));
        return true;
    }

    /// <inheritdoc/>
    public bool Equals(AdTag? other) => other is not null && _bytes.AsSpan().SequenceEqual(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as AdTag);

    /// <inheritdoc/>
    public override int GetHashCode() => BitConverter.ToInt32(_bytes);

    /// <summary>32 lower-case hexadecimal digits.</summary>
    public override string ToString() => Convert.ToHexStringLower(_bytes);
}
