using System.Collections.Immutable;
using System.Net;
using System.Net.NetworkInformation;

namespace Portico.Core.Cover.Learning;

/// <summary>Tells whether an address leads to one of our listeners, as far as this machine's own addresses show it. Behind a router <see cref="LearnerHellos"/> does.</summary>
/// <param name="endpoints">Where the listeners listen, with their real ports.</param>
internal sealed class OwnListeners(Func<ImmutableArray<IPEndPoint>> endpoints)
{
    /// <summary>Whether who connects there gets us.</summary>
    public bool Contains(IPEndPoint target)
    {
        var address = target.Address.IsIPv4MappedToIPv6 ? target.Address.MapToIPv4() : target.Address;
        return endpoints().Any(own => own.Port == target.Port && (own.Address.Equals(address) || (IsAny(own.Address) && IsThisMachine(address))));
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    // Asked each time, which is seldom: addresses come and go.
    private static bool IsThisMachine(IPAddress address) =>
        IPAddress.IsLoopback(address) || IsAny(address)
        || NetworkInterface.GetAllNetworkInterfaces().SelectMany(card => card.GetIPProperties().UnicastAddresses).Any(own => own.Address.Equals(address));
}
