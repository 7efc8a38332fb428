using System.Buffers;
using System.Buffers.Text;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// The text form that capabilities and tokens share: 32 bytes in their one canonical base64url spelling (RFC 4648 section 5, without
/// padding, unused bits 0), 43 characters.
/// </summary>
internal static class CredentialText
{
    /// <summary>Characters.</summary>
    public const int Length = 43;

    /// <summary>Bytes.</summary>
    public const int ByteLength = 32;

    // In the order of their values.
    private const string Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// <summary>The 64 digits of base64url.</summary>
    public static readonly SearchValues<char> AllDigits = SearchValues.Create(Digits);

    // 43 digits are 258 bits: the last two are 0, so it is each fourth digit.
    private static readonly SearchValues<char> LastDigits = SearchValues.Create("AEIMQUYcgkosw048");

    /// <summary>Whether a character may stand in such a text: what ends a run of them.</summary>
    public static bool IsDigit(char one) => AllDigits.Contains(one);

    /// <summary>The digit of a number; bits above the lowest six do not count.</summary>
    public static char DigitOf(byte number) => Digits[number & 0b111111];

    /// <summary>A digit with its lowest bits set to 0.</summary>
    public static char WithoutLowBits(char digit, int bits) =>
        Digits[Digits.IndexOf(digit, StringComparison.Ordinal) >> bits << bits];

    /// <summary>False for any text but a canonical one.</summary>
    public static bool IsValid(ReadOnlySpan<char> text) =>
        text.Length == Length && !text.ContainsAnyExcept(AllDigits) && LastDigits.Contains(text[^1]);

    /// <summary>False for any text but a canonical one.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="bytes">Takes 32 bytes.</param>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> bytes) =>
        IsValid(text) && Base64Url.DecodeFromChars(text, bytes, out _, out _) == OperationStatus.Done;

    /// <summary>43 characters for 32 bytes.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
