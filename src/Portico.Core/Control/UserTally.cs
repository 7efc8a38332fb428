using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Core.Users;

namespace Portico.Core.Control;

/// <summary>What the sessions that are open add to what is known of their users. Filled on one loop, summed up afterwards.</summary>
internal sealed class UserTally
{
    private readonly Dictionary<UserRecord, Sum> _sums = [];

    private sealed class Sum
    {
        public HashSet<ClientNetwork> Networks { get; } = [];

        public int Connections { get; set; }

        public long Received { get; set; }

        public long Sent { get; set; }
    }

    /// <summary>Counts one session, if it relays.</summary>
    public void Look(Session session)
    {
        if (!session.IsRelaying || session.User is not { } user) return;
        var sum = SumOf(user);
        sum.Connections++;
        sum.Received += session.Received;
        sum.Sent += session.Sent;
        if (session.LimitedNetwork() is { IsKnown: true } network) sum.Networks.Add(network);
    }

    /// <summary>Adds what another one has.</summary>
    public void Add(UserTally other)
    {
        foreach (var (user, more) in other._sums)
        {
            var sum = SumOf(user);
            sum.Connections += more.Connections;
            sum.Received += more.Received;
            sum.Sent += more.Sent;
            sum.Networks.UnionWith(more.Networks);
        }
    }

    /// <summary>A user with everything that is known.</summary>
    public UserStatus StatusOf(in Ended before, string listener, DateTimeOffset now)
    {
        var user = before.User;
        var sum = _sums.GetValueOrDefault(user);
        var lastSeen = user.LastSeen == 0 ? (DateTimeOffset?)null : DateTimeOffset.FromUnixTimeSeconds(user.LastSeen);
        return new UserStatus(
            user.Name, listener, sum?.Connections ?? 0, sum?.Networks.Count ?? 0, before.Received + (sum?.Received ?? 0),
            before.Sent + (sum?.Sent ?? 0), sum is null ? lastSeen : DateTimeOffset.FromUnixTimeSeconds(now.ToUnixTimeSeconds()));
    }

    /// <summary>A user, with what its sessions had that ended before they were looked at.</summary>
    internal readonly record struct Ended(UserRecord User, long Received, long Sent)
    {
        /// <summary>As it is now.</summary>
        public static Ended Of(UserRecord user) => new(user, user.Received, user.Sent);
    }

    private Sum SumOf(UserRecord user)
    {
        if (!_sums.TryGetValue(user, out var sum)) _sums[user] = sum = new Sum();
        return sum;
    }
}
