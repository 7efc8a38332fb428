using System.Buffers;
using System.Buffers.Text;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.WebProxy;

/// <summary>What an app says of the secret of a WEB proxy.</summary>
public enum WebSecretStatus : byte
{
    /// <summary>It takes it.</summary>
    Valid,

    /// <summary>More bytes than it knows a meaning for, fake-TLS secrets among them: it asks the user to update.</summary>
    Unsupported,

    /// <summary>No secret at all.</summary>
    Invalid,
}

/// <summary>
/// Secrets of WEB proxies as apps read them: 16 bytes, or dd and 16 bytes, in hex of any case or base64url. Beside
/// <see cref="SecretText"/>: here plus and slash are not taken, and bits of base64url that fill no byte are dropped, as apps do.
/// </summary>
public static class WebSecretText
{
    private const byte SecureMark = 0xdd;

    private const int SecureLength = 1 + ProxySecret.Length;

    // Sixteen bytes without padding.
    private const int ShortestBase64 = 22;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    /// <summary>Reads one.</summary>
    /// <param name="text">Without white space around it.</param>
    /// <param name="secret">With <see cref="WebSecretStatus.Valid"/>: simple or secure; else null.</param>
    public static WebSecretStatus Read(string text, out ParsedSecret? secret)
    {
        secret = null;
        if (text.Length >= 2 * ProxySecret.Length && text.Length % 2 == 0 && !text.AsSpan().ContainsAnyExcept(HexDigits))
            return Interpret(Convert.FromHexString(text), out secret);

        var digits = text.AsSpan();
        for (var padding = 0; padding < 2 && digits.EndsWith('='); padding++)
            digits = digits[..^1];
        return text.Length >= ShortestBase64 && text.Length % 4 != 1 && TryDecode(digits, out var bytes)
            ? Interpret(bytes, out secret)
            : WebSecretStatus.Invalid;
    }

    internal static WebSecretStatus Interpret(ReadOnlySpan<byte> bytes, out ParsedSecret? secret)
    {
        secret = bytes switch
        {
            { Length: ProxySecret.Length } => new ParsedSecret(SecretKind.Simple, ProxySecret.Create(bytes), null),
            [SecureMark, .. { Length: ProxySecret.Length } key] => new ParsedSecret(SecretKind.Secure, ProxySecret.Create(key), null),
            _ => null,
        };
        return secret is not null ? WebSecretStatus.Valid
            : bytes.Length < ProxySecret.Length ? WebSecretStatus.Invalid
            : WebSecretStatus.Unsupported;
    }

    /// <summary>Base64url without padding; bits of the last digit that fill no byte do not count.</summary>
    internal static bool TryDecode(ReadOnlySpan<char> digits, out byte[] bytes)
    {
        bytes = [];
        var rest = digits.Length % 4;
        if (rest == 1 || digits.ContainsAnyExcept(CredentialText.AllDigits))
            return false;

        var canonical = digits.ToArray();
        if (rest > 1)
            canonical[^1] = CredentialText.WithoutLowBits(canonical[^1], rest == 2 ? 4 : 2);
        bytes = Base64Url.DecodeFromChars(canonical);
        return true;
    }

    /// <summary>The bytes that capabilities and links are made of, a leading dd included.</summary>
    /// <param name="kind">Simple or secure.</param>
    /// <param name="secret">The 16 bytes.</param>
    /// <param name="bytes">At least 17 bytes.</param>
    /// <returns>16 or 17.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Fake TLS: inside a WEB proxy TLS is already real.</exception>
    internal static int Write(SecretKind kind, ProxySecret secret, Span<byte> bytes)
    {
        switch (kind)
        {
            case SecretKind.Simple:
                secret.Key.CopyTo(bytes);
                return ProxySecret.Length;
            case SecretKind.Secure:
                bytes[0] = SecureMark;
                secret.Key.CopyTo(bytes[1..]);
                return SecureLength;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "a WEB proxy has plain and secure secrets only");
        }
    }
}
