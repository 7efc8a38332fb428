namespace Portico.Core.Users;

/// <summary>Everything that a store holds.</summary>
/// <param name="Epoch">Counters only grow while this text is the same.</param>
/// <param name="Revision">Of the set of managed users.</param>
/// <param name="Users">The managed users.</param>
/// <param name="Usage">Counters, also of users of the configuration file.</param>
public sealed record StoredState(
    string Epoch, long Revision, IReadOnlyList<StoredUser> Users, IReadOnlyList<UsageRow> Usage);

/// <summary>One managed user.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Definition">The user as a JSON object with the keys of <c>listeners[].users[]</c>, secrets included.</param>
public sealed record StoredUser(string Name, string Definition)
{
    /// <summary>Without the definition, which holds secrets.</summary>
    public override string ToString() => $"StoredUser {{ Name = {Name} }}";
}

/// <summary>Whose counters they are.</summary>
/// <param name="Listener">Name of the listener whose user it is by the configuration file; empty for a managed user.</param>
/// <param name="Name">Of the user.</param>
public readonly record struct UsageKey(string Listener, string Name)
{
    /// <summary>All users together. No user is called so.</summary>
    public static UsageKey Everybody { get; } = new("*", "*");

    /// <summary>A user that is managed while the proxy runs, and every listener's.</summary>
    public bool IsManaged => Listener.Length == 0;

    /// <summary>The key of a managed user.</summary>
    /// <param name="name">Of the user.</param>
    public static UsageKey OfManaged(string name) => new("", name);
}

/// <summary>The counters of one user.</summary>
/// <param name="Key">Whose.</param>
/// <param name="Received">Bytes from clients since the epoch began.</param>
/// <param name="Sent">Bytes to clients since then.</param>
/// <param name="PeriodDay">First day of the quota's period (<see cref="DateOnly.DayNumber"/>); 0 = no quota was counted yet.</param>
/// <param name="PeriodBase">What received and sent were together when the period began, or when the operator last set usage to 0.</param>
/// <param name="LastSeen">When a session last began or ended, Unix seconds; 0 = never.</param>
public readonly record struct UsageRow(UsageKey Key, long Received, long Sent, int PeriodDay, long PeriodBase, long LastSeen);

/// <summary>Bytes of one hour or one day.</summary>
/// <param name="Start">When it began.</param>
/// <param name="Received">From clients.</param>
/// <param name="Sent">To clients.</param>
public readonly record struct HistoryPoint(DateTimeOffset Start, long Received, long Sent);

/// <summary>Traffic of one user, or of all, oldest first; hours and days without any are left out.</summary>
/// <param name="Hours">The last 48.</param>
/// <param name="Days">The last 400.</param>
public sealed record UsageHistory(IReadOnlyList<HistoryPoint> Hours, IReadOnlyList<HistoryPoint> Days);
