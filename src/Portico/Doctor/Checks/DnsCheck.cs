using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>Do the names in links lead here, in both families? And does the name that hellos show lead to the same machine?</summary>
internal sealed class DnsCheck(ProxySettings settings, OwnAddresses own, NetworkAccess access) : ICheck
{
    private const int MostNames = 16;

    public string Name => "dns";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        var hosts = settings.Listeners.Where(listener => listener.PublicHost is { } host && !IPAddress.TryParse(host, out _))
            .DistinctBy(listener => listener.PublicHost, StringComparer.OrdinalIgnoreCase).Take(MostNames).ToArray();
        var domains = settings.Listeners.Where(listener => listener.Protocols.HasFlag(ClientProtocols.FakeTls))
            .Select(listener => listener.Domain).OfType<string>()
            .Except(hosts.Select(listener => listener.PublicHost!), StringComparer.OrdinalIgnoreCase).Take(MostNames).ToArray();
        var webHosts = settings.Listeners.Where(listener => listener.Web is not null)
            .DistinctBy(listener => listener.Web!.Address.Host).ExceptBy(
                hosts.Select(listener => listener.PublicHost!), listener => listener.Web!.Address.Host, StringComparer.OrdinalIgnoreCase)
            .Take(MostNames).ToArray();
        domains = [.. domains.Except(webHosts.Select(listener => listener.Web!.Address.Host), StringComparer.OrdinalIgnoreCase)];
        var findings = await Task.WhenAll([
            .. webHosts.Select(listener => AskAsync(listener.Web!.Address.Host, listener, stop)),
            .. hosts.Select(listener => AskAsync(listener.PublicHost!, listener, stop)),
            .. domains.Select(domain => AskAsync(domain, listener: null, stop))]);
        return findings.Length > 0
            ? findings
            : [Diagnoses.DnsNoName.Found("links hold an address and no name: they end with that address")];
    }

    // With a listener: a name in links; without: one that hellos show.
    private async Task<Finding> AskAsync(string host, ListenerSettings? listener, CancellationToken stop)
    {
        if (!access.MayAsk(host)) return Diagnoses.Offline.Found($"{host} was not looked up");
        var addresses = await access.FindAsync(host, stop);
        if (addresses.Length == 0)
        {
            return listener is null
                ? Diagnoses.DnsBorrowed.Found(
                    $"{host}, which hellos show, has no address: an observer who looks it up sees that no such site is here",
                    "set domain of the listener to a name that leads to this server, or to a site that exists")
                : Diagnoses.DnsNoAddress.Found(
                    $"{host}, which links show, has no address: nobody can connect",
                    "add an A record for it, or set publicHost of the listener (of a WEB host web.host) to a name that leads here");
        }

        var ours = await own.AllAsync(stop);
        var elsewhere = addresses.Where(address => !ours.Contains(address)).ToArray();
        if (listener is null) return JudgeDomain(host, addresses, elsewhere, ours);
        if (elsewhere.Length == 0) return JudgeServed(host, listener, addresses);
        if (listener.TrustedBalancers.Length > 0 || IsServedElsewhere(listener))
        {
            return Diagnoses.DnsBalancer.Found(
                $"{host} leads to {Shown(elsewhere)}: a server in front, as proxyProtocol.trusted or web.trusted names networks");
        }

        if (!KnowsOwn(ours)) return Unknown(host, elsewhere);
        return elsewhere.Length == addresses.Length
            ? Diagnoses.DnsElsewhere.Found(
                $"{host}, which links show, leads to {Shown(elsewhere)}, and this machine is {Shown(Far(ours))}: clients go elsewhere",
                "change its A and AAAA records, or publicHost of the listener (of a WEB host web.host); "
                    + "if that is this machine behind NAT, set backend.middle.externalIp")
            : Diagnoses.DnsMixed.Found(
                $"{host}, which links show, leads to this machine and to {Shown(elsewhere)}: some clients go elsewhere",
                "remove the records that lead elsewhere (A for IPv4, AAAA for IPv6)");
    }

    // Of a WEB host that another machine speaks TLS for.
    private static bool IsServedElsewhere(ListenerSettings listener) =>
        IsBehind(listener) && listener.Web!.Trusted.Any(network => !IPAddress.IsLoopback(network.BaseAddress));

    private static bool IsBehind(ListenerSettings listener) => listener.Web is { Certificate: null, Socket: null };

    private static Finding JudgeServed(string host, ListenerSettings listener, IPAddress[] addresses)
    {
        // Where a server in front listens, only its own configuration says.
        if (IsBehind(listener))
            return Diagnoses.DnsHere.Found($"{host} leads here: {Shown(addresses)}");
        var isOnlyV4 = listener.Address.AddressFamily == AddressFamily.InterNetwork;
        var isOnlyV6 = !isOnlyV4 && !listener.Address.Address.Equals(IPAddress.IPv6Any);
        var unserved = addresses.Where(address =>
            address.AddressFamily == AddressFamily.InterNetworkV6 ? isOnlyV4 : isOnlyV6).ToArray();
        return unserved.Length == 0
            ? Diagnoses.DnsHere.Found($"{host} leads here: {Shown(addresses)}")
            : Diagnoses.DnsUnserved.Found(
                $"{host} leads to {Shown(unserved)} too, where listener {listener.Name} does not listen: clients that take it wait in vain",
                "set address of the listener to \"::\", or remove that record");
    }

    private static Finding JudgeDomain(string host, IPAddress[] addresses, IPAddress[] elsewhere, ImmutableHashSet<IPAddress> ours)
    {
        if (elsewhere.Length == 0)
            return Diagnoses.DnsHere.Found($"{host}, which hellos show, leads here: {Shown(addresses)}");
        return KnowsOwn(ours)
            ? Diagnoses.DnsBorrowed.Found(
                $"{host}, which hellos show, leads to {Shown(elsewhere)}, and this machine is {Shown(Far(ours))}: "
                    + "an observer who looks it up can tell that this is not that site",
                "a domain of your own that leads here, with its site as cover, is safer; a borrowed one works until somebody looks")
            : Unknown(host, elsewhere);
    }

    private static Finding Unknown(string host, IPAddress[] elsewhere) => Diagnoses.DnsUnknown.Found(
        $"{host} leads to {Shown(elsewhere)}, and nobody told whether that is this machine",
        "set backend.middle.externalIp, or let backend.middle.ipLookupServices be asked");

    // Behind NAT the cards have private addresses alone, and nothing follows from them.
    private static bool KnowsOwn(ImmutableHashSet<IPAddress> ours) => ours.Any(address => AddressReach.Of(address) == Reach.World);

    private static IEnumerable<IPAddress> Far(ImmutableHashSet<IPAddress> ours) =>
        ours.Where(address => AddressReach.Of(address) == Reach.World).OrderBy(address => address.AddressFamily);

    private static string Shown(IEnumerable<IPAddress> addresses) => string.Join(", ", addresses.Take(4));
}
