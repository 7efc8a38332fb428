using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Options;

/// <summary>A network as operators write it: an address and the number of leading bits that count, or one address alone.</summary>
internal static class NetworkText
{
    private const string Example = "for example \"10.0.0.0/8\", \"fd00::/8\" or \"192.0.2.7\"";

    /// <summary>Reads one.</summary>
    /// <param name="text">What stands in the configuration.</param>
    /// <param name="network">The network; of IPv4 where the address is an IPv4 one inside an IPv6 one.</param>
    /// <param name="problem">What is wrong, and the fix.</param>
    public static bool TryParse(string text, out IPNetwork network, [NotNullWhen(false)] out string? problem)
    {
        (network, problem) = (default, null);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = slash < 0 ? text : text[..slash];
        if (!TryAddress(address, out var parsed) || address.AsSpan().ContainsAny("%[]"))
        {
            problem = $"{ShownText.Quote(text)} is not a network; {Example}";
            return false;
        }

        var most = parsed.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var bits = most;
        if (slash >= 0
            && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits) || bits > most))
        {
            problem = $"{ShownText.Quote(text)}: behind the slash goes a number from 0 to {most}; {Example}";
            return false;
        }

        if (parsed.IsIPv4MappedToIPv6)
        {
            if (bits < 96)
            {
                problem = $"{ShownText.Quote(text)}: write an IPv4 network as such; {Example}";
                return false;
            }

            (parsed, bits) = (parsed.MapToIPv4(), bits - 96);
        }

        network = new IPNetwork(Masked(parsed, bits), bits);
        return true;
    }

    /// <summary>
    /// Reads an address. The framework reads "1" as 0.0.0.1 and "127.1" as 127.0.0.1: here an IPv4 address has four parts.
    /// </summary>
    public static bool TryAddress(string text, out IPAddress address)
    {
        if (IPAddress.TryParse(text, out var parsed) && (parsed.AddressFamily == AddressFamily.InterNetworkV6 || parsed.ToString() == text))
        {
            address = parsed;
            return true;
        }

        address = IPAddress.None;
        return false;
    }

    // "10.1.2.3/8" is what an operator may write for the network of that address.
    private static IPAddress Masked(IPAddress address, int bits)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++) bytes[i] &= (byte)(0xff00 >> Math.Clamp(bits - (8 * i), 0, 8));
        return new IPAddress(bytes);
    }
}
