using System.Net;
using System.Text.RegularExpressions;
using Portico.Protocol.Secrets;

namespace Portico.Core.Options;

/// <summary>What can be put into a fake-TLS secret: a host name that clients accept (spec/01 section 4).</summary>
public static partial class DomainName
{
    private const int Shortest = 4; // Telegram Desktop refuses less
    internal const int LongestHost = 253; // RFC 1035 section 2.3.4, as text
    private const int Longest = SecretText.MaxDomainLength; // some clients cut the rest off, and the link would name another host

    /// <summary>What is wrong with <paramref name="text"/> as a host name; null = nothing.</summary>
    public static string? Problem(string text) => text switch
    {
        _ when !text.All(char.IsAscii) => $"{ShownText.Quote(text)} must be in its ASCII form (xn--…)",
        _ when text.Length is < Shortest or > Longest => $"has {text.Length} characters where clients accept {Shortest} to {Longest}",
        _ when IPAddress.TryParse(text, out _) => $"{ShownText.Quote(text)} is an address; TLS clients name a host",
        _ when !HostName().IsMatch(text) =>
            $"{ShownText.Quote(text)} is not a host name: letters, digits and dashes, parted by single dots",
        _ => null,
    };

    /// <summary>Whether <paramref name="text"/> is the name of a host, and no address.</summary>
    internal static bool IsHost(string text) => text.Length <= LongestHost && HostName().IsMatch(text) && !IPAddress.TryParse(text, out _);

    [GeneratedRegex(@"\A(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\z", RegexOptions.CultureInvariant)]
    internal static partial Regex HostName();
}
