using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Users;

namespace Portico.Core.Control;

/// <summary>From where the sessions that are open come, by their users. Filled on one loop, summed up afterwards.</summary>
internal sealed class UserTally
{
    private readonly Dictionary<UserRecord, HashSet<ClientNetwork>> _networks = [];

    /// <summary>Looks at one session.</summary>
    public void Look(Session session)
    {
        if (!session.IsRelaying || session.User is not { } user) return;
        if (session.LimitedNetwork() is { IsKnown: true } network) NetworksOf(user).Add(network);
    }

    /// <summary>Adds what another one has.</summary>
    public void Add(UserTally other)
    {
        foreach (var (user, networks) in other._networks) NetworksOf(user).UnionWith(networks);
    }

    /// <summary>Different networks of a user's sessions.</summary>
    public int NetworksNow(UserRecord user) => _networks.GetValueOrDefault(user)?.Count ?? 0;

    private HashSet<ClientNetwork> NetworksOf(UserRecord user)
    {
        if (!_networks.TryGetValue(user, out var networks)) _networks[user] = networks = [];
        return networks;
    }
}
