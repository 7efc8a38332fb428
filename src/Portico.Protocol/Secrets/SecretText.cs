using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Portico.Protocol.Secrets;

/// <summary>
/// The texts in which secrets are written down and sent in links (spec/01 section 4).
/// No error sentence repeats what was given.
/// </summary>
public static class SecretText
{
    /// <summary>The longest domain, in bytes, that every client sends whole; longer ones are cut by some.</summary>
    public const int MaxDomainLength = 182;

    private const byte SecureMark = 0xdd;
    private const byte FakeTlsMark = 0xee;
    private const int MarkedLength = 1 + ProxySecret.Length;

    // Room for every valid secret; anything longer is refused before it is decoded.
    private const int MaxLength = MarkedLength + MaxDomainLength;

    private const string Expected = "expected 32 hex digits, 34 beginning with dd, or ee, 32 hex digits and the domain in hex";

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");
    private static readonly SearchValues<char> Base64UrlDigits =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    /// <summary>
    /// Reads hex (either case), base64 or base64url. Hex is tried first,
    /// as clients do; white space around the text is ignored.
    /// </summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="parsed">The secret.</param>
    /// <param name="error">
    /// A sentence for the user that says what is wrong and what is expected,
    /// without the text itself; empty when all is well.
    /// </param>
    public static bool TryParse(string text, [NotNullWhen(true)] out ParsedSecret? parsed, out string error)
    {
        parsed = null;
        var trimmed = text.AsSpan().Trim();
        if (trimmed.IsEmpty)
        {
            error = $"The secret is empty: {Expected}.";
            return false;
        }

        if (!TryDecode(trimmed, out var bytes, out error))
            return false;

        (parsed, error) = Interpret(bytes, IsHex(trimmed) ? $"{trimmed.Length} hex digits" : $"{bytes.Length} bytes");
        return parsed is not null;
    }

    /// <summary>32 lower-case hex digits.</summary>
    public static string FormatSimple(ProxySecret secret) => Convert.ToHexStringLower(secret.Key);

    /// <summary>dd and 32 lower-case hex digits.</summary>
    public static string FormatSecure(ProxySecret secret) => "dd" + FormatSimple(secret);

    /// <summary>ee, 32 lower-case hex digits and the domain in hex: the form every client takes.</summary>
    /// <exception cref="ArgumentException">The domain is not <see cref="IsUsableDomain"/>.</exception>
    public static string FormatFakeTls(ProxySecret secret, string domain) => Convert.ToHexStringLower(FakeTlsBytes(secret, domain));

    /// <summary>
    /// The bytes of <see cref="FormatFakeTls"/> as base64url without padding:
    /// shorter, but some iOS clients have failed on it.
    /// </summary>
    /// <exception cref="ArgumentException">The domain is not <see cref="IsUsableDomain"/>.</exception>
    public static string FormatFakeTlsBase64Url(ProxySecret secret, string domain) =>
        Base64Url.EncodeToString(FakeTlsBytes(secret, domain));

    /// <summary>
    /// Whether a domain can stand in a secret: 1 to <see cref="MaxDomainLength"/>
    /// visible ASCII characters. International names must be given in their xn-- form.
    /// </summary>
    public static bool IsUsableDomain(ReadOnlySpan<char> domain) =>
        domain.Length is > 0 and <= MaxDomainLength && !domain.ContainsAnyExceptInRange('!', '~');

    private static bool IsHex(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(HexDigits);

    private static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes, out string error)
    {
        bytes = [];
        error = "";
        if (text.Length > 2 * MaxLength)
        {
            error = $"The secret is too long: {Expected}, whose name has at most {MaxDomainLength} characters.";
            return false;
        }

        if (IsHex(text) && text.Length % 2 == 0 && text.Length >= 2 * ProxySecret.Length)
        {
            bytes = Convert.FromHexString(text);
            return true;
        }

        var digits = text.TrimEnd('=').ToString().Replace('+', '-').Replace('/', '_');
        var stranger = digits.AsSpan().IndexOfAnyExcept(Base64UrlDigits);
        if (stranger >= 0)
        {
            error = $"The secret has a character at position {stranger + 1} that is neither a hex digit nor base64: {Expected}.";
            return false;
        }

        // Fails when a single digit (6 bits) is left over, or when the last one says more than fits: in both cases something got lost.
        bytes = new byte[Base64Url.GetMaxDecodedLength(digits.Length)];
        if (Base64Url.DecodeFromChars(digits, bytes, out _, out var written) == OperationStatus.Done)
        {
            bytes = bytes[..written];
            return true;
        }

        error = $"The secret has {text.Length} {(IsHex(text) ? "hex digits" : "characters")}, "
            + $"which make no whole number of bytes; perhaps one was lost: {Expected}.";
        return false;
    }

    private static (ParsedSecret? Parsed, string Error) Interpret(byte[] bytes, string size)
    {
        if (bytes.Length == ProxySecret.Length)
            return (new ParsedSecret(SecretKind.Simple, ProxySecret.Create(bytes), null), "");
        if (bytes.Length < ProxySecret.Length)
            return (null, $"The secret is too short with its {size}: {Expected}.");

        var key = bytes.AsSpan(1, ProxySecret.Length);
        var rest = bytes.AsSpan(MarkedLength);
        return bytes[0] switch
        {
            SecureMark when rest.IsEmpty => (new ParsedSecret(SecretKind.Secure, ProxySecret.Create(key), null), ""),
            SecureMark => (null, $"The secret begins with dd but has {size} instead of {2 * MarkedLength} hex digits or "
                + $"{MarkedLength} bytes; only a secret that begins with ee carries a domain."),
            FakeTlsMark when rest.IsEmpty => (null, "The secret begins with ee (fake TLS) but names no domain: "
                + "append the domain in hex, for example 6578616d706c652e636f6d for example.com."),
            FakeTlsMark => WithDomain(key, rest),
            _ => (null, $"The secret has {size} but begins with neither dd nor ee: {Expected}."),
        };
    }

    private static (ParsedSecret? Parsed, string Error) WithDomain(ReadOnlySpan<byte> key, ReadOnlySpan<byte> domain)
    {
        // Latin-1 keeps foreign bytes foreign: they fail the check instead of turning into something that passes.
        var name = Encoding.Latin1.GetString(domain);
        return IsUsableDomain(name)
            ? (new ParsedSecret(SecretKind.FakeTls, ProxySecret.Create(key), name), "")
            : (null, $"The domain in the secret must be 1 to {MaxDomainLength} visible ASCII characters; "
                + "write international names in their xn-- form.");
    }

    private static byte[] FakeTlsBytes(ProxySecret secret, string domain) =>
        IsUsableDomain(domain)
            ? [FakeTlsMark, .. secret.Key, .. Encoding.ASCII.GetBytes(domain)]
            : throw new ArgumentException($"a domain has 1 to {MaxDomainLength} visible ASCII characters", nameof(domain));
}
