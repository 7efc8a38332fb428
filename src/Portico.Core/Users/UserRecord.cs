using Portico.Core.Diagnostics;

namespace Portico.Core.Users;

/// <summary>
/// What is known of one user, whatever becomes of the user's secrets and terms. Shared by all loops, which touch it when a session is let
/// in, begins to relay and ends; bytes are counted by a <see cref="UserMeter"/> for each loop.
/// </summary>
/// <remarks>Of perhaps a hundred thousand most never come: what is counted is made when there is something to count.</remarks>
internal sealed class UserRecord
{
    private readonly UserScope _scope;
    private UserCounts? _counts;
    private UserTerms _terms = UserTerms.Unlimited;

    /// <summary>With what was kept of the user.</summary>
    /// <param name="scope">Where the name means this user.</param>
    /// <param name="name">Of the user.</param>
    public UserRecord(UserScope scope, string name)
    {
        (_scope, Name) = (scope, name);
        if (Ledger.Claim(Key) is { } kept) _counts = new UserCounts(kept);
    }

    public UsageKey Key => new(_scope.Listener, Name);

    public string Name { get; }

    public UsageLedger Ledger => _scope.Ledger;

    /// <summary>What the user may do.</summary>
    public UserTerms Terms => Volatile.Read(ref _terms);

    /// <summary>What is left of it; null = without quota, rates and a limit of networks.</summary>
    public UserLimits? Limits => Known?.Limits;

    /// <summary>First day of the quota's period; 0 = none was counted.</summary>
    public int PeriodDay => Known?.PeriodDay ?? 0;

    /// <summary>Bytes that were counted before the period, or before usage was set to 0.</summary>
    public long PeriodBase => Known?.PeriodBase ?? 0;

    /// <summary>Sessions that relay now.</summary>
    public int Connections => Known is { } counts ? Volatile.Read(ref counts.Relaying) : 0;

    /// <summary>Sessions that were let in and are open.</summary>
    public int Held => Known is { } counts ? Volatile.Read(ref counts.Held) : 0;

    /// <summary>Bytes from clients, since the counters' epoch began.</summary>
    public long Received => Known?.Received ?? 0;

    /// <summary>Bytes to them.</summary>
    public long Sent => Known?.Sent ?? 0;

    /// <summary>Bytes of the quota's period, both ways; without a quota, of all time.</summary>
    public long Used => Math.Max(0, Received + Sent - PeriodBase);

    /// <summary>When a session last began or ended, Unix seconds; 0 = none did.</summary>
    public long LastSeen => Known is { } counts ? Interlocked.Read(ref counts.LastSeen) : 0;

    /// <summary>The operator has removed the user: nothing is kept of what its last sessions move.</summary>
    public bool IsForgotten
    {
        get => Known?.IsForgotten == true;
        set => Counts.IsForgotten = value;
    }

    /// <summary>The counters as they are kept. Not on a loop.</summary>
    public UsageRow ToRow()
    {
        // A period's day and base are one word to whoever keeps them.
        lock (Ledger.TermsGate)
            return new(Key, Received, Sent, PeriodDay, PeriodBase, LastSeen);
    }

    private UserCounts? Known => Volatile.Read(ref _counts);

    private UserCounts Counts
    {
        get
        {
            if (Known is { } known) return known;
            var made = new UserCounts();
            return Interlocked.CompareExchange(ref _counts, made, null) ?? made;
        }
    }

    /// <summary>Other terms, from now on. Not on a loop.</summary>
    /// <param name="terms">All of them.</param>
    /// <param name="today">In the operator's time zone.</param>
    public void Apply(UserTerms terms, DateOnly today)
    {
        bool mustGo;
        lock (Ledger.TermsGate)
        {
            var before = Terms;
            if (ReferenceEquals(before, terms)) return;
            var isLimited = terms is not { Quota: null, DownRate: null, UpRate: null, MaxNetworks: null };
            // Before the terms: whoever sees a quota sees what is left of it.
            if (isLimited && Limits is null) Counts.Limits = new UserLimits(this);
            Limits?.Apply(terms);
            Volatile.Write(ref _terms, terms);
            // Another reset day begins no period by itself: what was used stays used.
            if (terms.Quota is { } quota && before.Quota is { } old && (old.Period, old.ResetDay) != (quota.Period, quota.ResetDay))
            {
                Counts.PeriodDay = QuotaCalendar.StartOf(quota, today).DayNumber;
                Ledger.PeriodChanged(this);
            }

            BeginsPeriod(today);
            mustGo = Refill();
        }

        if (mustGo) Ledger.SomeoneMustGo();
    }

    /// <summary>Begins the period that today is in, if it is another one. Not on a loop.</summary>
    /// <returns>Whether one began.</returns>
    public bool Turn(DateOnly today)
    {
        bool mustGo;
        lock (Ledger.TermsGate)
        {
            if (!BeginsPeriod(today)) return false;
            mustGo = Refill();
        }

        if (mustGo) Ledger.SomeoneMustGo();
        return true;
    }

    /// <summary>The period's usage is 0 from now on. Not on a loop.</summary>
    public void ResetUsage()
    {
        bool mustGo;
        lock (Ledger.TermsGate)
        {
            Counts.PeriodBase = Received + Sent;
            mustGo = Refill();
        }

        if (mustGo) Ledger.SomeoneMustGo();
    }

    /// <summary>Bytes that another process counted for this user. Not on a loop.</summary>
    public void AddLate(in UsageRow late)
    {
        bool mustGo;
        lock (Ledger.TermsGate)
        {
            Counts.AddBefore(late.Received, late.Sent);
            mustGo = Refill();
        }

        if (mustGo) Ledger.SomeoneMustGo();
    }

    private bool Refill() => Limits?.Refill(Rest) == true;

    private bool BeginsPeriod(DateOnly today)
    {
        if (Terms.Quota is not { } quota) return false;
        var start = QuotaCalendar.StartOf(quota, today).DayNumber;
        // A clock that was far ahead once would keep the next periods from beginning until it is right.
        if (QuotaCalendar.NextAfter(quota, today) is { } next && PeriodDay > next.DayNumber)
            Counts.PeriodDay = start;
        // A clock that is set back begins nothing.
        if (start <= PeriodDay) return false;
        Counts.PeriodDay = start;
        Counts.PeriodBase = Received + Sent;
        return true;
    }

    /// <summary>Why nobody may come in with the user's secret, and nobody stay; null = they may.</summary>
    /// <param name="unixSeconds">Our clock.</param>
    public CloseReason? Refusal(long unixSeconds)
    {
        var terms = Terms;
        if (!terms.IsEnabled) return CloseReason.UserDisabled;
        if (unixSeconds >= terms.ExpiresAt?.ToUnixTimeSeconds()) return CloseReason.UserExpired;
        return Limits?.Refusal;
    }

    /// <summary>One more session, if there may be; to be given back.</summary>
    public bool TryHold()
    {
        var counts = Counts;
        if (Interlocked.Increment(ref counts.Held) <= (Terms.MaxConnections ?? int.MaxValue))
            return true;
        Interlocked.Decrement(ref counts.Held);
        return false;
    }

    /// <summary>A session that held is gone.</summary>
    public void LetGo() => Interlocked.Decrement(ref Counts.Held);

    /// <summary>What counts the bytes of this user on a loop. Called on that loop.</summary>
    public UserMeter MeterOn(int loop) => Counts.MeterOn(this, loop);

    /// <summary>A client of this user has a way to Telegram. True for the first one since the start.</summary>
    public bool Began(long unixSeconds)
    {
        var counts = Counts;
        Interlocked.Increment(ref counts.Relaying);
        Volatile.Write(ref counts.LastSeen, unixSeconds);
        // Looked at before it is written: nearly always it is there, and the word stays in every core's cache.
        if (Volatile.Read(ref counts.Lately) == 0) Volatile.Write(ref counts.Lately, 1);
        return Volatile.Read(ref counts.Ever) == 0 && Interlocked.Exchange(ref counts.Ever, 1) == 0;
    }

    /// <summary>A session that <see cref="Began"/> has ended.</summary>
    public void Ended(long unixSeconds)
    {
        var counts = Counts;
        Interlocked.Decrement(ref counts.Relaying);
        Volatile.Write(ref counts.LastSeen, unixSeconds);
    }

    /// <summary>Whether a client came since the last call.</summary>
    public bool TakeLately() =>
        Known is { } counts && Volatile.Read(ref counts.Lately) != 0 && Interlocked.Exchange(ref counts.Lately, 0) != 0;

    private long? Rest => Terms.Quota is { } quota ? quota.Bytes - Used : null;
}
