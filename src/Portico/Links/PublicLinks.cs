using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;

namespace Portico.Links;

/// <summary>
/// The links of listeners whose own address is a private one, as behind NAT, once somebody outside has said which address is seen
/// there. Nothing waits for it: the proxy serves already, and its links with the private address are printed.
/// </summary>
internal sealed partial class PublicLinks(ProxySettings settings, ImmutableArray<IPEndPoint> endpoints, ILogger log)
{
    // For one service. Nobody waits, but an answer that comes when the operator has gone is none.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Asks if there is a reason to, and prints what that changes.</summary>
    /// <param name="print">Gets the links of the listeners that it concerns.</param>
    /// <param name="stop">Ends it at once.</param>
    public async Task TellAsync(Action<ShareLink[]> print, CancellationToken stop)
    {
        var near = settings.Listeners.Zip(endpoints)
            .Where(pair => Needs(pair.First, PublicAddress.Find(pair.First.Address.Address))).ToArray();
        if (near.Length == 0) return;
        try
        {
            var (address, problem) = await FindAsync(stop);
            var concerned = near.Where(pair => address is not null && Suits(pair.First, address)).ToArray();
            if (concerned.Length == 0)
            {
                Log.NotFound(log, problem);
                return;
            }

            print([.. concerned.SelectMany(pair => ShareLink.Of(
                pair.First with { PublicHost = $"{address}" }, pair.Second.Port, settings.PerSni))]);
            foreach (var (listener, _) in concerned) Log.Found(log, address!, listener.Name);
        }
        catch (OperationCanceledException)
        {
            // the proxy ends
        }
    }

    /// <summary>Whether the links of a listener that show <paramref name="shown"/> lead nobody here who is elsewhere.</summary>
    public static bool Needs(ListenerSettings listener, IPAddress shown)
    {
        var address = listener.Address.Address;
        return listener.PublicHost is null && listener.Protocols != ClientProtocols.None
            && AddressReach.Of(shown) != Reach.World
            && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || AddressReach.Of(address) != Reach.Machine);
    }

    private async Task<(IPAddress? Address, string Problem)> FindAsync(CancellationToken stop) =>
        (settings.Middle.ExternalV4 ?? settings.Middle.ExternalV6) is { } said
            ? (said, "")
            : await AddressServices.AskAsync(settings.Middle.IpLookupServices, Patience, TimeProvider.System, stop);

    // Only a listener on "::" is reached over both.
    private static bool Suits(ListenerSettings listener, IPAddress address) =>
        listener.Address.Address.Equals(IPAddress.IPv6Any) || listener.Address.AddressFamily == address.AddressFamily;

    private static partial class Log
    {
        [LoggerMessage(EventId = 9022, EventName = "PublicAddressFound", Level = LogLevel.Information,
            Message = "Seen from outside, this machine is {Address}; the links printed last show that. "
                + "To keep it: \"publicHost\": \"{Address}\" in listener {Listener}")]
        public static partial void Found(ILogger logger, IPAddress address, string listener);

        [LoggerMessage(EventId = 9023, EventName = "PublicAddressNotFound", Level = LogLevel.Debug,
            Message = "Nobody told which address this machine has from outside ({Problem})")]
        public static partial void NotFound(ILogger logger, string problem);
    }
}
