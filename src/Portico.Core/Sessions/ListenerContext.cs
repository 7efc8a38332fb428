using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;

namespace Portico.Core.Sessions;

/// <summary>What the sessions of one listener on one loop share.</summary>
/// <param name="Settings">Of the listener.</param>
/// <param name="Index">Position in the settings, and in every list with an entry per listener.</param>
/// <param name="Limit">Authenticated sessions of the listener, over all loops.</param>
/// <param name="Users">Whose secrets are good, over all loops and whatever the settings.</param>
/// <param name="Counters">Sums of this listener on this loop, whatever the settings.</param>
internal sealed record ListenerContext(
    ListenerSettings Settings, int Index, SessionLimit Limit, ListenerUsers Users, ListenerCounters Counters)
{
    /// <summary>The label in logs and metrics.</summary>
    public string Name => Settings.Name;

    /// <summary>Whether a connection comes from a balancer that says whose it is (<c>proxyProtocol.trusted</c>).</summary>
    public bool Trusts(Channel client)
    {
        if (Settings.TrustedBalancers.IsEmpty || client.RemoteAddress()?.Address is not { } address)
            return false;
        foreach (var network in Settings.TrustedBalancers)
        {
            if (network.Contains(address)) return true;
        }

        return false;
    }
}
