using System.Collections.Immutable;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;

namespace Portico.Web;

/// <summary>Says who sent a request: the peer, or who a trusted server in front names.</summary>
/// <param name="loggers">Where lines go.</param>
/// <param name="time">The clock.</param>
internal sealed partial class ClientAddresses(ILoggerFactory loggers, TimeProvider time)
{
    private const string Header = "X-Forwarded-For";

    private readonly ILogger _log = loggers.CreateLogger<ClientAddresses>();
    private readonly OnceAMinute _warnings = new(time);

    /// <summary>The client; null where a trusted server does not say who it is.</summary>
    public IPEndPoint? Find(HttpContext context, WebGate gate)
    {
        // Without one the connection came from this machine, by a socket that named nobody.
        var peer = Plain(context.Connection.RemoteIpAddress ?? IPAddress.Loopback);
        var isTrusted = IsTrusted(gate.Settings.Trusted, peer);
        var values = context.Request.Headers[Header];
        if (ForwardedAddress.TryFind(peer, isTrusted, [.. values.Select(value => value ?? "")], out var client))
            return new IPEndPoint(client, client.Equals(peer) ? context.Connection.RemotePort : 0);
        gate.Sessions.Report.Refused("forwarded");
        if (_warnings.IsDue()) Log.NotOne(_log, gate.Listener, peer);
        return null;
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool IsTrusted(ImmutableArray<IPNetwork> networks, IPAddress peer)
    {
        foreach (var network in networks)
        {
            if (network.Contains(peer)) return true;
        }

        return false;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2321, EventName = "WebForwardedForUnclear", Level = LogLevel.Warning,
            Message = "Listener {Listener}: the server in front at {Peer} is trusted, but its X-Forwarded-For is not one address, so apps "
                + "get the site instead of the proxy. Have it set the header and not add to what came: in nginx "
                + "`proxy_set_header X-Forwarded-For $remote_addr`, not `$proxy_add_x_forwarded_for`")]
        public static partial void NotOne(ILogger logger, string listener, IPAddress peer);
    }
}
