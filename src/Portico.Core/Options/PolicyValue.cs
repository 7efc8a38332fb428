using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Portico.Core.Options;

/// <summary>
/// Values of keys in the one form in which they are compared: a listener's name, a host name in lower case,
/// the bytes of an address whose bits behind the leading ones are zero.
/// </summary>
internal static partial class PolicyValue
{
    /// <summary>
    /// Bytes of the longest value. Longer than any host name: what clients name beyond that is cut,
    /// is in no table, and counts as one with whatever begins alike.
    /// </summary>
    public const int MaxLength = 255;

    /// <summary>Bytes that a value of this key has at most.</summary>
    public static int Most(PolicyKey key) => key.Kind switch
    {
        PolicyKeyKind.PortName or PolicyKeyKind.TlsDomain => MaxLength,
        PolicyKeyKind.ClientV4 => 4,
        _ => 16,
    };

    /// <summary>Writes a host name: bytes as a client sent them, in whatever character set.</summary>
    /// <returns>Its length.</returns>
    public static int WriteDomain(ReadOnlySpan<byte> name, Span<byte> target)
    {
        if (name.Length > MaxLength) name = name[..MaxLength];
        for (var i = 0; i < name.Length; i++) target[i] = name[i] is >= (byte)'A' and <= (byte)'Z' ? (byte)(name[i] | 0x20) : name[i];
        return name.Length;
    }

    /// <summary>Writes the leading bits of an address.</summary>
    /// <returns>Its length.</returns>
    public static int WriteAddress(ReadOnlySpan<byte> address, int bits, Span<byte> target)
    {
        address.CopyTo(target);
        var whole = bits / 8;
        if (whole == address.Length) return address.Length;
        target[whole] &= (byte)(0xff00 >> (bits % 8));
        target[(whole + 1)..address.Length].Clear();
        return address.Length;
    }

    /// <summary>Reads several.</summary>
    /// <param name="key">What they are values of.</param>
    /// <param name="texts">As written; a file may hold null.</param>
    /// <param name="values">In the form that is compared; those before the first wrong one.</param>
    /// <param name="problem">What is wrong with that one, and the fix.</param>
    public static bool TryParseAll(
        PolicyKey key, IReadOnlyCollection<string?> texts, out List<byte[]> values, [NotNullWhen(false)] out string? problem)
    {
        (values, problem) = (new List<byte[]>(texts.Count), null);
        foreach (var text in texts)
        {
            if (text is null) problem = "a value must be a text, not null";
            else if (TryParse(key, text, out var value, out problem)) values.Add(value);
            if (problem is not null) return false;
        }

        return true;
    }

    /// <summary>Reads what an operator wrote.</summary>
    /// <param name="key">What it is a value of.</param>
    /// <param name="text">As written.</param>
    /// <param name="value">In the form that is compared.</param>
    /// <param name="problem">What is wrong, and the fix.</param>
    public static bool TryParse(
        PolicyKey key, string text, [NotNullWhen(true)] out byte[]? value, [NotNullWhen(false)] out string? problem)
    {
        value = null;
        problem = key.Kind switch
        {
            PolicyKeyKind.PortName => ParseName(text, out value),
            PolicyKeyKind.TlsDomain => ParseDomain(text, out value),
            _ => ParseAddress(key, text, out value),
        };
        return value is not null;
    }

    /// <summary>For people. A client may have sent any bytes: those that are no letters are shown as numbers.</summary>
    public static string Show(PolicyKey key, ReadOnlySpan<byte> value)
    {
        if (key.Kind is PolicyKeyKind.ClientV4 or PolicyKeyKind.ClientV6)
        {
            var address = new IPAddress(value);
            return key.Bits == 8 * value.Length ? address.ToString() : string.Create(CultureInfo.InvariantCulture, $"{address}/{key.Bits}");
        }

        var text = new StringBuilder(value.Length);
        foreach (var one in value)
        {
            if (one is > (byte)' ' and < 0x7f and not (byte)'\\') text.Append((char)one);
            else text.Append(CultureInfo.InvariantCulture, $"\\x{one:x2}");
        }

        return text.ToString();
    }

    private static string? ParseName(string text, out byte[]? value)
    {
        value = NameLabel.IsOne(text) ? Encoding.ASCII.GetBytes(text) : null;
        return value is null ? $"{ShownText.Quote(text)} is no name of a listener; for example \"main\"" : null;
    }

    private static string? ParseDomain(string text, out byte[]? value)
    {
        const string Example = "for example \"www.example.com\"";
        value = null;
        if (IPAddress.TryParse(text, out _))
            return $"{ShownText.Quote(text)} is an address, and the rules look up tls_domain here; {Example}";
        if (text.Contains('*', StringComparison.Ordinal))
            return $"{ShownText.Quote(text)}: each name counts for itself, there are no wildcards; {Example}";
        if (!text.All(char.IsAscii))
            return $"{ShownText.Quote(text)} must be in its ASCII form (xn--…); {Example}";
        if (text.Length > DomainName.LongestHost || !Host().IsMatch(text))
            return $"{ShownText.Quote(text)} is not a host name; {Example}";
        value = new byte[text.Length];
        WriteDomain(Encoding.ASCII.GetBytes(text), value);
        return null;
    }

    // For a subnet any address inside is taken, and the subnet itself with its bits.
    private static string? ParseAddress(PolicyKey key, string text, out byte[]? value)
    {
        value = null;
        var isV4 = key.Kind == PolicyKeyKind.ClientV4;
        var example = isV4 ? "for example \"203.0.113.7\"" : "for example \"2001:db8::7\"";
        if (!NetworkText.TryParse(text, out var network, out _))
            return $"{ShownText.Quote(text)} is not an IP address, and the rules look up {key} here; {example}";
        var bytes = network.BaseAddress.GetAddressBytes();
        if (network.BaseAddress.AddressFamily == AddressFamily.InterNetwork != isV4)
        {
            return $"{ShownText.Quote(text)} is an address of the other family: the rules look up {key} here; {example}";
        }

        if (text.Contains('/', StringComparison.Ordinal) && network.PrefixLength != key.Bits && network.PrefixLength != 8 * bytes.Length)
        {
            return $"{ShownText.Quote(text)}: the rules look up {key} here, which tells how many bits count; "
                + $"write an address of it, {example}";
        }

        value = new byte[bytes.Length];
        WriteAddress(bytes, key.Bits, value);
        return null;
    }

    // As DomainName.HostName, and underscores: nothing keeps a link from naming such a host.
    [GeneratedRegex(@"\A(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\z", RegexOptions.CultureInvariant)]
    private static partial Regex Host();
}
