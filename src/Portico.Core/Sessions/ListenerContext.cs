using System.Collections.Immutable;
using System.Net;
using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Users;

namespace Portico.Core.Sessions;

/// <summary>
/// What the sessions of one listener on one loop share. A session may live for days: nothing here holds all the settings.
/// </summary>
/// <param name="Name">The label in logs and metrics.</param>
/// <param name="Balancers">Connections from these networks say whose they are (<c>proxyProtocol.trusted</c>).</param>
/// <param name="Index">Position in the settings, and in every list with an entry per listener.</param>
/// <param name="Limit">Authenticated sessions of the listener, over all loops.</param>
/// <param name="Users">Whose secrets are good, over all loops and whatever the settings.</param>
/// <param name="Counters">Sums of this listener on this loop, whatever the settings.</param>
internal sealed record ListenerContext(
    string Name, ImmutableArray<IPNetwork> Balancers, int Index, SessionLimit Limit, ListenerUsers Users, ListenerCounters Counters)
{
    /// <summary>Whether a connection comes from one of <see cref="Balancers"/>.</summary>
    public bool Trusts(Channel client)
    {
        if (Balancers.IsEmpty || client.RemoteAddress()?.Address is not { } address)
            return false;
        foreach (var network in Balancers)
        {
            if (network.Contains(address)) return true;
        }

        return false;
    }
}
