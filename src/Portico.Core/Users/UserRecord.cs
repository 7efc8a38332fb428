using Portico.Core.Diagnostics;

namespace Portico.Core.Users;

/// <summary>
/// What is known of one user, whatever becomes of the user's secrets and terms. Shared by all loops, which touch it when a session is let
/// in, begins to relay and ends; bytes are counted by a <see cref="UserMeter"/> for each loop.
/// </summary>
internal sealed class UserRecord
{
    private UserMeter? _meters;
    private UserLimits? _limits;
    private UserTerms _terms = UserTerms.Unlimited;
    private long _receivedBefore;
    private long _sentBefore;
    private long _lastSeen;
    private long _expiresAt = long.MaxValue;
    private int _relaying;
    private int _held;
    private int _ever;
    private int _lately;

    /// <summary>With what was kept of the user.</summary>
    /// <param name="key">Whose.</param>
    /// <param name="ledger">Of the whole proxy.</param>
    public UserRecord(UsageKey key, UsageLedger ledger)
    {
        (Key, Ledger) = (key, ledger);
        var kept = ledger.Claim(key);
        (_receivedBefore, _sentBefore, _lastSeen) = (kept.Received, kept.Sent, kept.LastSeen);
        (PeriodDay, PeriodBase) = (kept.PeriodDay, kept.PeriodBase);
    }

    public UsageKey Key { get; }

    public string Name => Key.Name;

    public UsageLedger Ledger { get; }

    /// <summary>What the user may do.</summary>
    public UserTerms Terms => Volatile.Read(ref _terms);

    /// <summary>What is left of it; null = without quota, rates and a limit of networks.</summary>
    public UserLimits? Limits => Volatile.Read(ref _limits);

    /// <summary>First day of the quota's period; 0 = none was counted.</summary>
    public int PeriodDay { get; private set; }

    /// <summary>Bytes that were counted before the period, or before usage was set to 0.</summary>
    public long PeriodBase { get; private set; }

    /// <summary>Sessions that relay now.</summary>
    public int Connections => Volatile.Read(ref _relaying);

    /// <summary>Sessions that were let in and are open.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>Bytes from clients, since the counters' epoch began.</summary>
    public long Received => Interlocked.Read(ref _receivedBefore) + Sum(received: true);

    /// <summary>Bytes to them.</summary>
    public long Sent => Interlocked.Read(ref _sentBefore) + Sum(received: false);

    /// <summary>Bytes of the quota's period, both ways; without a quota, of all time.</summary>
    public long Used => Math.Max(0, Received + Sent - PeriodBase);

    /// <summary>When a session last began or ended, Unix seconds; 0 = none did.</summary>
    public long LastSeen => Interlocked.Read(ref _lastSeen);

    /// <summary>The operator has removed the user: nothing is kept of what its last sessions move.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>The counters as they are kept.</summary>
    public UsageRow ToRow() => new(Key, Received, Sent, PeriodDay, PeriodBase, LastSeen);

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
            if (isLimited && Limits is null) Volatile.Write(ref _limits, new UserLimits(this));
            Limits?.Apply(terms);
            Volatile.Write(ref _expiresAt, terms.ExpiresAt?.ToUnixTimeSeconds() ?? long.MaxValue);
            Volatile.Write(ref _terms, terms);
            // Another reset day begins no period by itself: what was used stays used.
            if (terms.Quota is { } quota && before.Quota is { } old && (old.Period, old.ResetDay) != (quota.Period, quota.ResetDay))
                PeriodDay = QuotaCalendar.StartOf(quota, today).DayNumber;
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
            PeriodBase = Received + Sent;
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
            Interlocked.Add(ref _receivedBefore, late.Received);
            Interlocked.Add(ref _sentBefore, late.Sent);
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
            PeriodDay = start;
        // A clock that is set back begins nothing.
        if (start <= PeriodDay) return false;
        PeriodDay = start;
        PeriodBase = Received + Sent;
        return true;
    }

    /// <summary>Why nobody may come in with the user's secret, and nobody stay; null = they may.</summary>
    /// <param name="unixSeconds">Our clock.</param>
    public CloseReason? Refusal(long unixSeconds)
    {
        if (!Terms.IsEnabled) return CloseReason.UserDisabled;
        if (unixSeconds >= Volatile.Read(ref _expiresAt)) return CloseReason.UserExpired;
        return Limits?.Refusal;
    }

    /// <summary>One more session, if there may be; to be given back.</summary>
    public bool TryHold()
    {
        if (Interlocked.Increment(ref _held) <= (Terms.MaxConnections ?? int.MaxValue)) return true;
        Interlocked.Decrement(ref _held);
        return false;
    }

    /// <summary>A session that held is gone.</summary>
    public void LetGo() => Interlocked.Decrement(ref _held);

    /// <summary>What counts the bytes of this user on a loop. Called on that loop.</summary>
    public UserMeter MeterOn(int loop)
    {
        while (true)
        {
            var first = Volatile.Read(ref _meters);
            for (var meter = first; meter is not null; meter = meter.Next)
            {
                if (meter.Loop == loop) return meter;
            }

            var made = new UserMeter(this, loop, first);
            if (Interlocked.CompareExchange(ref _meters, made, first) == first) return made;
        }
    }

    /// <summary>A client of this user has a way to Telegram. True for the first one since the start.</summary>
    public bool Began(long unixSeconds)
    {
        Interlocked.Increment(ref _relaying);
        Volatile.Write(ref _lastSeen, unixSeconds);
        // Looked at before it is written: nearly always it is there, and the word stays in every core's cache.
        if (Volatile.Read(ref _lately) == 0) Volatile.Write(ref _lately, 1);
        return Volatile.Read(ref _ever) == 0 && Interlocked.Exchange(ref _ever, 1) == 0;
    }

    /// <summary>A session that <see cref="Began"/> has ended.</summary>
    public void Ended(long unixSeconds)
    {
        Interlocked.Decrement(ref _relaying);
        Volatile.Write(ref _lastSeen, unixSeconds);
    }

    /// <summary>Whether a client came since the last call.</summary>
    public bool TakeLately() => Volatile.Read(ref _lately) != 0 && Interlocked.Exchange(ref _lately, 0) != 0;

    private long? Rest => Terms.Quota is { } quota ? quota.Bytes - Used : null;

    private long Sum(bool received)
    {
        var sum = 0L;
        for (var meter = Volatile.Read(ref _meters); meter is not null; meter = meter.Next)
            sum += received ? meter.Received : meter.Sent;
        return sum;
    }
}
