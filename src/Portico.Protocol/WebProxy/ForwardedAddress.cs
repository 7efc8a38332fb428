using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// Who the client is where a server in front of us says so in <c>X-Forwarded-For</c>. Good for limits, rules and accounting, never for
/// authentication: a client's requests may come from several addresses.
/// </summary>
public static class ForwardedAddress
{
    private static readonly SearchValues<char> AddressCharacters = SearchValues.Create("0123456789abcdefABCDEF:.");

    /// <summary>Finds the client's address.</summary>
    /// <param name="peer">Who connected to us.</param>
    /// <param name="isTrusted">Whether that is a server whose word counts; from others the header is not looked at.</param>
    /// <param name="values">All values of X-Forwarded-For.</param>
    /// <param name="client">The client; an IPv4 address inside an IPv6 one as what it is.</param>
    /// <returns>
    /// False where a trusted server says something else than one address: it passes on what clients claim, and no guess is safe.
    /// </returns>
    public static bool TryFind(IPAddress peer, bool isTrusted, IReadOnlyList<string> values, out IPAddress client)
    {
        client = peer;
        if (!isTrusted || values.Count == 0)
            return true;
        if (values.Count != 1 || !TryReadLiteral(values[0], out var address))
            return false;
        client = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return true;
    }

    // The framework also reads "1" as 0.0.0.1, octal numbers, zones and brackets.
    private static bool TryReadLiteral(string text, out IPAddress address) =>
        IPAddress.TryParse(text, out address!)
        && (address.AddressFamily == AddressFamily.InterNetwork
            ? address.ToString() == text
            : !text.AsSpan().ContainsAnyExcept(AddressCharacters));
}
