using System.Net;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>
/// Where a PROXY header is expected: does anybody come from the networks that send one? And where none is: does everybody come from one
/// address nearby, as behind a balancer? The kernel's table of connections tells it of the running proxy.
/// </summary>
internal sealed class ProxyHeaderCheck(ProxySettings settings, DataDirectoryHolder? holder, TcpTable table) : ICheck
{
    // Fewer may be the family at home.
    private const int Crowd = 20;

    public string Name => "balancer";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        var ports = holder is null ? [] : holder.Endpoints.Select(endpoint => endpoint.Port).ToHashSet();
        var peers = ports.Count == 0
            ? Enumerable.Empty<(int Port, IPAddress Address)>().ToLookup(peer => peer.Port, peer => peer.Address)
            : table.Entries().Where(entry => entry.IsEstablished && ports.Contains(entry.Local.Port))
                .ToLookup(entry => entry.Local.Port, entry => entry.Remote.Address);
        return Task.FromResult<IReadOnlyList<Finding>>(
            [.. settings.Listeners.Select((listener, index) => Judge(listener, index, [.. peers[PortOf(listener, index)]]))]);
    }

    // With port 0 the running proxy says which one it was given; its order is that of the settings.
    private int PortOf(ListenerSettings listener, int index) =>
        listener.Address.Port == 0 && holder is { } running && index < running.Endpoints.Length
            ? running.Endpoints[index].Port
            : listener.Address.Port;

    private static Finding Judge(ListenerSettings listener, int index, IPAddress[] peers)
    {
        var key = $"listeners[{index}].proxyProtocol.trusted";
        if (listener.TrustedBalancers.IsEmpty)
        {
            var nearest = peers.GroupBy(address => address).MaxBy(group => group.Count());
            return nearest is not null && nearest.Count() >= Crowd && nearest.Count() * 2 > peers.Length
                && AddressReach.Of(nearest.Key) != Reach.World
                ? Diagnoses.ProxyHeaderWanted.Found(
                    $"{listener.Name}: {nearest.Count()} of {peers.Length} connections come from {nearest.Key}, as behind a balancer or a "
                        + "container's network: limits and logs take them for one client",
                    $"let the balancer send a PROXY header and add its network to {key}; for a container, use the host's network")
                : Diagnoses.ProxyHeaderUnused.Found($"{listener.Name}: no PROXY header is expected");
        }

        var trusted = peers.Count(address => listener.TrustedBalancers.Any(network => network.Contains(address)));
        var networks = string.Join(", ", listener.TrustedBalancers);
        if (trusted > 0)
        {
            return Diagnoses.ProxyHeaderComes.Found(
                $"{listener.Name}: {trusted} of {peers.Length} connections come from {networks}",
                "if the log warns of ProxyHeaderMissing, the balancer sends none: HAProxy: send-proxy-v2; nginx: proxy_protocol on");
        }

        return peers.Length == 0
            ? Diagnoses.ProxyHeaderUnseen.Found(
                $"{listener.Name}: a PROXY header is expected from {networks}, and nobody is connected to tell by",
                "the log of the running proxy warns once a minute where one is missing (ProxyHeaderMissing) or comes unexpected")
            : Diagnoses.ProxyHeaderNone.Found(
                $"{listener.Name}: a PROXY header is expected from {networks}, and nobody comes from there; {peers.Length} "
                    + $"{(peers.Length == 1 ? "connection comes" : "connections come")} from {Shown(peers)}",
                $"set {key} to the addresses from which your balancer connects, or empty it if there is no balancer");
    }

    private static string Shown(IPAddress[] peers) => string.Join(", ", peers.Distinct().Take(3));
}
