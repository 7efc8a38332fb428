using System.Collections.Concurrent;

namespace Portico.Core.Users;

/// <summary>
/// What is counted of users, over all loops: which counters moved since they were last kept, and what an earlier process had counted.
/// </summary>
internal sealed class UsageLedger
{
    private readonly ConcurrentQueue<UserMeter> _moved = new();
    private readonly ConcurrentQueue<UserRecord> _periods = new();
    private readonly ConcurrentDictionary<UsageKey, UsageRow> _kept = new();
    private volatile Action _someoneMustGo = () => { };

    public UsageLedger() => Managed = new UserScope("", this);

    /// <summary>Where managed users are: with every listener.</summary>
    public UserScope Managed { get; }

    /// <summary>
    /// Held while a user's terms, period or what is left of a quota are changed, always beside the loops, which never take it. One for all
    /// users: nothing is waited for and nobody called under it, and one for each would be 40 bytes for each.
    /// </summary>
    public Lock TermsGate { get; } = new();

    /// <summary>Called when sessions of a user may not go on; whoever has them looks at all of them. From any thread.</summary>
    public void WhenSomeoneMustGo(Action look) => _someoneMustGo = look;

    /// <summary>Sessions of a user may not go on.</summary>
    public void SomeoneMustGo() => _someoneMustGo();

    /// <summary>What was kept of users who have not been named yet.</summary>
    public void Restore(IEnumerable<UsageRow> rows)
    {
        foreach (var row in rows) _kept[row.Key] = row;
    }

    /// <summary>Takes what was kept of one user; null if nothing was.</summary>
    public UsageRow? Claim(UsageKey key) => _kept.TryRemove(key, out var row) ? row : null;

    /// <summary>The counters of a meter have moved. Once until they are taken.</summary>
    public void Moved(UserMeter meter) => _moved.Enqueue(meter);

    /// <summary>The terms of a user say that another period is under way; what was used stays used, so that has to be kept.</summary>
    public void PeriodChanged(UserRecord user) => _periods.Enqueue(user);

    /// <summary>The users whose period was changed since the last call. One caller at a time.</summary>
    public IReadOnlyCollection<UserRecord> TakePeriods()
    {
        var changed = new HashSet<UserRecord>();
        while (_periods.TryDequeue(out var user)) changed.Add(user);
        return changed;
    }

    /// <summary>The users whose counters moved since the last call, and what by. One caller at a time.</summary>
    public IReadOnlyDictionary<UserRecord, (long Received, long Sent)> TakeMoved()
    {
        var moved = new Dictionary<UserRecord, (long Received, long Sent)>();
        while (_moved.TryDequeue(out var meter))
        {
            var growth = meter.TakeGrowth();
            var sum = moved.GetValueOrDefault(meter.User);
            moved[meter.User] = (sum.Received + growth.Received, sum.Sent + growth.Sent);
        }

        return moved;
    }
}
