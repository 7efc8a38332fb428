using System.Net;
using System.Net.NetworkInformation;
using Portico.Core.Options;

namespace Portico.Core.Cover;

/// <summary>
/// Where this proxy itself can be reached, as far as it can know: a stranger passed
/// on to one of these would come back as the next stranger, until no descriptor is left.
/// </summary>
internal sealed class OwnEndpoints(Func<IEnumerable<IPAddress>> localAddresses)
{
    private volatile State? _state;

    private sealed record State(ProxySettings Settings, IPEndPoint[] Bound);

    /// <summary>Tells with which ports the listeners were bound, in the order of the settings.</summary>
    public void Bound(ProxySettings settings, IEnumerable<IPEndPoint> endpoints) => _state = new(settings, [.. endpoints]);

    /// <summary>
    /// Whether a connection to <paramref name="target"/> would come to one of our listeners.
    /// Asks the system for its addresses: not for a loop.
    /// </summary>
    public bool Contains(IPEndPoint target)
    {
        if (_state is not { Settings: var settings, Bound: var bound }) return false;
        var address = Reached(target.Address);
        for (var i = 0; i < bound.Length; i++)
        {
            if (bound[i].Port == target.Port && IsReachedBy(bound[i].Address, address)) return true;
            if (IsPublished(settings, i, bound[i].Port, target)) return true;
        }

        return false;
    }

    /// <summary>The addresses of this machine.</summary>
    public static IEnumerable<IPAddress> OfThisMachine()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces()
                .SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(address => address.Address)];
        }
        catch (NetworkInformationException)
        {
            return []; // a system that does not tell: loopback and what the operator published are still compared
        }
    }

    // A connection to the address of nobody goes to this machine: resolvers answer with it for names that they block.
    private static IPAddress Reached(IPAddress target) =>
        target.Equals(IPAddress.Any) ? IPAddress.Loopback : target.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback : target;

    private bool IsReachedBy(IPAddress listening, IPAddress target)
    {
        if (listening.Equals(target)) return true;
        var isAny = listening.Equals(IPAddress.IPv6Any)
            || (listening.Equals(IPAddress.Any) && target.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork);
        return isAny && (IPAddress.IsLoopback(target) || localAddresses().Any(address => WithoutZone(address).Equals(WithoutZone(target))));
    }

    // Behind NAT no interface has the address that the world sees, but the operator may have named it.
    private static bool IsPublished(ProxySettings settings, int index, int port, IPEndPoint target)
    {
        var listener = settings.Listeners[index];
        return (listener.PublicPort ?? port) == target.Port
            && ((IPAddress.TryParse(listener.PublicHost, out var published) && published.Equals(target.Address))
                || target.Address.Equals(settings.Middle.ExternalV4) || target.Address.Equals(settings.Middle.ExternalV6));
    }

    private static IPAddress WithoutZone(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? new IPAddress(address.GetAddressBytes()) : address;
}
