using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Portico.Core.Net;

namespace Portico.Links;

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
            .OrderByDescending(AddressReach.Of)
            .ThenBy(address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .FirstOrDefault(address => AddressReach.Of(address) != Reach.Machine) ?? IPAddress.Loopback;

    private static IEnumerable<IPAddress> MachineAddresses() =>
        from network in NetworkInterface.GetAllNetworkInterfaces()
        where network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
        from address in network.GetIPProperties().UnicastAddresses
        select address.Address;
}
