using System.Net;

namespace Portico.Core.Options;

/// <summary>What a link may show as server.</summary>
public static class PublicHost
{
    private const string Example = "for example \"publicHost\": \"proxy.example.org\"";

    /// <summary>What is wrong with <paramref name="text"/> as the server of a link; null = nothing.</summary>
    public static string? Problem(string text)
    {
        if (IPAddress.TryParse(text.Trim('[', ']'), out var address))
        {
            if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
                return $"{ShownText.Quote(text)} is where we listen, and nothing that a client could connect to; {Example}";
            return text.StartsWith('[')
                ? $"{ShownText.Quote(text)}: links hold IPv6 addresses without brackets; for example \"publicHost\": \"{address}\""
                : null;
        }

        if (text.Split('.')[^1] is { Length: > 0 } last && last.All(char.IsAsciiDigit))
            return $"{ShownText.Quote(text)} looks like an IPv4 address and is none, as its parts are four numbers up to 255; {Example}";
        if (text.Contains(':', StringComparison.Ordinal))
            return $"{ShownText.Quote(text)}: the port has a key of its own, publicPort; {Example}";
        return text.Length <= DomainName.LongestHost && DomainName.HostName().IsMatch(text)
            ? null
            : $"{ShownText.Quote(text)} is neither a host name nor an IP address; {Example}";
    }
}
