using Portico.Core.Admission.Policy;
using Portico.Core.Net;
using Portico.Core.Users;

namespace Portico.Core.Admission;

/// <summary>
/// Remembers what a session took, when it was admitted or later; gives exactly that back, once.
/// Disposed in <c>Session.Close</c>, and where a session is not let in.
/// </summary>
internal struct SessionLease : IDisposable
{
    private SessionLimit? _limit;
    private UserRecord? _user;
    private NetworkPlace? _network;
    private PolicyLease _policy;

    /// <summary>The session was let in.</summary>
    public readonly bool IsHeld => _limit is not null;

    /// <summary>Of its user's networks, where these are limited.</summary>
    public readonly NetworkPlace? Network => _network;

    /// <summary>A place of the listener's: the last thing that is taken.</summary>
    public void Hold(SessionLimit limit) => _limit = limit;

    /// <summary>One of the user's sessions.</summary>
    public void Hold(UserRecord user) => _user = user;

    /// <summary>A place among the networks of a user, where these are limited. It may send another network away.</summary>
    /// <param name="user">Whose session it is to be, or is.</param>
    /// <param name="network">The client's; unknown = in none, as a balancer is that says that it is itself the client.</param>
    /// <param name="most">Networks that there may be with it.</param>
    /// <param name="nowMs">Clock of the session's loop.</param>
    /// <returns>False if there are too many, and none is silent.</returns>
    public bool TryEnterNetwork(UserRecord user, ClientNetwork network, int most, long nowMs)
    {
        if (!network.IsKnown || user is not { Terms.MaxNetworks: not null, Limits.Networks: { } networks })
            return true;
        _network = networks.Enter(network, most, nowMs, out var mustGo);
        if (mustGo) user.Ledger.SomeoneMustGo();
        return _network is not null;
    }

    /// <summary>The rules have counted it.</summary>
    public void Hold(PolicyLease policy) => _policy = policy;

    /// <summary>Gives everything back.</summary>
    public void Dispose()
    {
        _limit?.Leave();
        _user?.LetGo();
        _network?.Leave();
        (_limit, _user, _network) = (null, null, null);
        _policy.Dispose();
    }
}
