using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Portico.Core.Net;

namespace Portico.Links;

/// <summary>Guesses which of this machine's addresses clients connect to, without asking anybody outside.</summary>
internal static class PublicAddress
{
    private static readonly IPAddress[] FarAddresses = [IPAddress.Parse("149.154.167.51"), IPAddress.Parse("2001:67c:4e8:f002::a")];

    /// <summary>
    /// The address itself if the listener has a certain one, else the machine's
    /// widest reaching one; IPv4 before IPv6, as more clients have it.
    /// </summary>
    public static IPAddress Find(IPAddress listening) => Find(listening, MachineAddresses);

    /// <summary>As above, with the addresses of a machine that may refuse to tell them.</summary>
    public static IPAddress Find(IPAddress listening, Func<IEnumerable<IPAddress>> machineAddresses)
    {
        var any = listening.Equals(IPAddress.Any);
        if (!any && !listening.Equals(IPAddress.IPv6Any)) return listening;
        return Choose(OfThisMachine(machineAddresses), onlyIPv4: any);
    }

    /// <summary>The best of <paramref name="addresses"/>; never a wildcard.</summary>
    public static IPAddress Choose(IEnumerable<IPAddress> addresses, bool onlyIPv4) =>
        addresses
            .Where(address => !onlyIPv4 || address.AddressFamily == AddressFamily.InterNetwork)
            .OrderByDescending(AddressReach.Of)
            .ThenBy(address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
            .FirstOrDefault(address => AddressReach.Of(address) != Reach.Machine) ?? IPAddress.Loopback;

    /// <summary>All addresses of this machine; where it does not tell, those from which packets to Telegram would leave.</summary>
    public static IEnumerable<IPAddress> OfThisMachine() => OfThisMachine(MachineAddresses);

    private static IEnumerable<IPAddress> OfThisMachine(Func<IEnumerable<IPAddress>> machineAddresses)
    {
        try
        {
            return [.. machineAddresses()];
        }
        catch (NetworkInformationException)
        {
            // a sandbox without AF_NETLINK
            return [.. AddressesOfRoutes(), IPAddress.Loopback, IPAddress.IPv6Loopback];
        }
    }

    // From where packets to Telegram would leave: connecting a datagram socket asks the routing table and sends nothing.
    private static IEnumerable<IPAddress> AddressesOfRoutes()
    {
        foreach (var far in FarAddresses)
        {
            if (OwnAddressTowards(far) is { } address) yield return address;
        }
    }

    private static IPAddress? OwnAddressTowards(IPAddress far)
    {
        try
        {
            using var socket = new Socket(far.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(new IPEndPoint(far, 443));
            return ((IPEndPoint?)socket.LocalEndPoint)?.Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static IEnumerable<IPAddress> MachineAddresses() =>
        from network in NetworkInterface.GetAllNetworkInterfaces()
        where network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown
        from address in network.GetIPProperties().UnicastAddresses
        select address.Address;
}
