using System.Net;
using System.Net.Sockets;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Telegram;

/// <summary>
/// Under which address Telegram sees us (spec/03 section 1.2). The keys of a link are made of it,
/// so a wrong one means no link. In this order: what the operator says, what a service last answered,
/// the address of this machine from which the way to Telegram begins, if that is a public one.
/// </summary>
internal sealed class ExternalAddress(
    MiddleProxySettings settings, Downloader downloader, ProxyMetrics metrics, Func<IPEndPoint, IPAddress?> localTowards)
{
    /// <summary>The label of its downloads in metrics.</summary>
    public const string Label = "external_ip";

    private IPAddress? _answeredV4;
    private IPAddress? _answeredV6;

    /// <summary>Null = not known.</summary>
    public IPAddress? V4 { get; private set; } = settings.ExternalV4;

    /// <summary>Null = not known.</summary>
    public IPAddress? V6 { get; private set; } = settings.ExternalV6;

    // Links go over IPv4 unless the operator prefers otherwise, and hosts with IPv6 have no NAT there: asking is about IPv4.
    private bool MustAsk => settings.ExternalV4 is null && settings.IpLookupServices.Length > 0;

    /// <summary>Finds out anew.</summary>
    /// <param name="config">Whose addresses stand for Telegram.</param>
    /// <param name="stop">Ends it at once.</param>
    /// <returns>Null, or why every service failed; older answers stay then.</returns>
    public async Task<string?> UpdateAsync(MiddleProxyConfig config, CancellationToken stop)
    {
        var problem = MustAsk ? await AskAsync(stop).ConfigureAwait(false) : null;
        V4 = settings.ExternalV4 ?? _answeredV4 ?? Own(config, AddressFamily.InterNetwork);
        V6 = settings.ExternalV6 ?? _answeredV6 ?? Own(config, AddressFamily.InterNetworkV6);
        return problem;
    }

    /// <summary>
    /// The address of this machine from which packets to <paramref name="endpoint"/>
    /// would go; nothing is sent. Null if there is no way.
    /// </summary>
    public static IPAddress? LocalTowards(IPEndPoint endpoint)
    {
        try
        {
            using var socket = new Socket(endpoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(endpoint);
            return ((IPEndPoint?)socket.LocalEndPoint)?.Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private async Task<string?> AskAsync(CancellationToken stop)
    {
        var problem = "";
        foreach (var service in settings.IpLookupServices)
        {
            var (download, address) = await AddressServices.AskAsync(downloader, service, stop).ConfigureAwait(false);
            metrics.ConfigUpdated(Label, download.Result.Tag());
            if (address is not null)
            {
                if (address.AddressFamily == AddressFamily.InterNetwork) _answeredV4 = address;
                else _answeredV6 = address;
                return null;
            }

            problem = $"{service.Host}: {download.Reason}";
        }

        return problem;
    }

    private IPAddress? Own(MiddleProxyConfig config, AddressFamily family)
    {
        var telegram = config.Dcs.Select(dc => config.Find(dc, family == AddressFamily.InterNetworkV6))
            .SelectMany(found => found).FirstOrDefault(endpoint => endpoint.AddressFamily == family);
        return telegram is not null && localTowards(telegram) is { } own && AddressReach.Of(own) == Reach.World ? own : null;
    }
}
