using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Portico.Links;

/// <summary>How far away an address can be reached from.</summary>
internal enum Reach
{
    /// <summary>Only from this machine.</summary>
    Machine,

    /// <summary>From the same network.</summary>
    PrivateNetwork,

    /// <summary>From everywhere.</summary>
    World,
}

/// <summary>Guesses which of this machine's addresses clients connect to, without asking anybody outside.</summary>
internal static class PublicAddress
{
    /// <summary>The address itself if the listener has a certain one, else the machine's widest reaching one; IPv4 before IPv6, as more clients have it.</summary>
    public static IPAddress Find(IPAddress listening)
    {
        var any = listening.Equals(IPAddress.Any);
        return any || listening.Equals(IPAddress.IPv6Any) ? Choose(MachineAddresses(), onlyIPv4: any) : listening;
    }

    /// <summary>The best of <paramref name="addresses"/>; never a wildcard.</summary>
    public static IPAddress Choose(IEnumerable<IPAddress> addresses, bool onlyIPv4) =>
        addresses
            .Where(address => !onlyIPv4 || address.AddressFamily == AddressFamily.InterNetwork)
            .OrderByDescending(ReachOf)
            .ThenBy(address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .FirstOrDefault(address => ReachOf(address) != Reach.Machine) ?? IPAddress.Loopback;

    /// <summary>Where <paramref name="address"/> can be reached from, by the registries of special addresses (RFC 6890 and the ones it names).</summary>
    public static Reach ReachOf(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        if (IPAddress.IsLoopback(address)) return Reach.Machine;
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            if (address.IsIPv6LinkLocal || address.IsIPv6Multicast || address.Equals(IPAddress.IPv6Any)) return Reach.Machine; // link-local ones need a zone that no link can carry
            return (bytes[0] & 0xe0) == 0x20 && !(bytes is [0x20, 0x01, 0x0d, 0xb8, ..]) ? Reach.World : Reach.PrivateNetwork;
        }

        return bytes switch
        {
            [0, ..] or [>= 224, ..] or [169, 254, ..] => Reach.Machine,
            [10, ..] or [172, >= 16 and < 32, ..] or [192, 168, ..] or [100, >= 64 and < 128, ..] or [192, 0, 2, _] or [198, 18 or 19, ..] or [198, 51, 100, _] or [203, 0, 113, _] => Reach.PrivateNetwork,
            _ => Reach.World,
        };
    }

    private static IEnumerable<IPAddress> MachineAddresses() =>
        from network in NetworkInterface.GetAllNetworkInterfaces()
        where network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
        from address in network.GetIPProperties().UnicastAddresses
        select address.Address;
}
