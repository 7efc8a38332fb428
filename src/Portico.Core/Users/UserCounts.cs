namespace Portico.Core.Users;

/// <summary>
/// What is counted of a user who has come, or whose terms count something. The fields are words that loops change without a lock, each
/// by <see cref="Interlocked"/> or <see cref="Volatile"/>; the period is changed under the ledger's gate.
/// </summary>
/// <param name="kept">What an earlier process had counted.</param>
internal sealed class UserCounts(UsageRow kept = default)
{
    /// <summary>When a session last began or ended, Unix seconds; 0 = none did.</summary>
    public long LastSeen = kept.LastSeen;

    /// <summary>Sessions that relay now.</summary>
    public int Relaying;

    /// <summary>Sessions that were let in and are open.</summary>
    public int Held;

    /// <summary>1 = a client came since the start.</summary>
    public int Ever;

    /// <summary>1 = a client came since somebody asked.</summary>
    public int Lately;

    private volatile bool _isForgotten;
    private long _receivedBefore = kept.Received;
    private long _sentBefore = kept.Sent;
    private UserMeter? _meters;
    private UserLimits? _limits;

    /// <summary>First day of the quota's period; 0 = none was counted.</summary>
    public int PeriodDay { get; set; } = kept.PeriodDay;

    /// <summary>Bytes that were counted before the period, or before usage was set to 0.</summary>
    public long PeriodBase { get; set; } = kept.PeriodBase;

    /// <summary>The operator has removed the user.</summary>
    public bool IsForgotten
    {
        get => _isForgotten;
        set => _isForgotten = value;
    }

    /// <summary>What is left of what the user may do; null = nothing is limited.</summary>
    public UserLimits? Limits
    {
        get => Volatile.Read(ref _limits);
        set => Volatile.Write(ref _limits, value);
    }

    /// <summary>Bytes from clients.</summary>
    public long Received
    {
        get
        {
            var sum = Interlocked.Read(ref _receivedBefore);
            for (var meter = Volatile.Read(ref _meters); meter is not null; meter = meter.Next) sum += meter.Received;
            return sum;
        }
    }

    /// <summary>Bytes to them.</summary>
    public long Sent
    {
        get
        {
            var sum = Interlocked.Read(ref _sentBefore);
            for (var meter = Volatile.Read(ref _meters); meter is not null; meter = meter.Next) sum += meter.Sent;
            return sum;
        }
    }

    /// <summary>Bytes that another process counted.</summary>
    public void AddBefore(long received, long sent)
    {
        Interlocked.Add(ref _receivedBefore, received);
        Interlocked.Add(ref _sentBefore, sent);
    }

    /// <summary>What counts the bytes on a loop. Called on that loop.</summary>
    public UserMeter MeterOn(UserRecord user, int loop)
    {
        while (true)
        {
            var first = Volatile.Read(ref _meters);
            for (var meter = first; meter is not null; meter = meter.Next)
            {
                if (meter.Loop == loop) return meter;
            }

            var made = new UserMeter(user, loop, first);
            if (Interlocked.CompareExchange(ref _meters, made, first) == first) return made;
        }
    }
}
