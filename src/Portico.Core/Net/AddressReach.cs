using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net;

/// <summary>How far away an address can be reached from.</summary>
public enum Reach
{
    /// <summary>Only from this machine.</summary>
    Machine,

    /// <summary>From the same network.</summary>
    PrivateNetwork,

    /// <summary>From everywhere.</summary>
    World,
}

/// <summary>Tells public addresses from others.</summary>
public static class AddressReach
{
    /// <summary>
    /// Where <paramref name="address"/> can be reached from,
    /// by the registries of special addresses (RFC 6890 and the ones it names).
    /// </summary>
    public static Reach Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        if (IPAddress.IsLoopback(address)) return Reach.Machine;
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            // link-local ones need a zone that no link can carry
            if (address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any))
                return Reach.Machine;
            return (bytes[0] & 0xe0) == 0x20 && !(bytes is [0x20, 0x01, 0x0d, 0xb8, ..]) ? Reach.World : Reach.PrivateNetwork;
        }

        return bytes switch
        {
            [0, ..] or [>= 224, ..] or [169, 254, ..] => Reach.Machine,
            [10, ..] or [172, >= 16 and < 32, ..] or [192, 168, ..] or [100, >= 64 and < 128, ..] or [192, 0, 2, _]
                or [198, 18 or 19, ..] or [198, 51, 100, _] or [203, 0, 113, _] => Reach.PrivateNetwork,
            _ => Reach.World,
        };
    }
}
