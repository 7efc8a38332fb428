using Portico.Core.Diagnostics;

namespace Portico.Core.Users;

/// <summary>
/// What is left of a user's quota and rates, and the networks that the user comes from. Shared by all loops without a lock on the data
/// path: quota is spent in leases that a loop takes, rates are a point in time that is pushed on.
/// </summary>
/// <param name="user">Whose.</param>
internal sealed class UserLimits(UserRecord user)
{
    /// <summary>Most bytes of a quota that one loop has at a time; near the end it is a hundredth of the rest.</summary>
    public const long MostLeased = 1 << 20;

    // So that the last kilobytes are not shared out one by one.
    private const long LeastLeased = 4096;

    private RateGate _down;
    private RateGate _up;
    private long _left = long.MaxValue;
    private bool _isExhausted;

    /// <summary>Where sessions come from; null = that was never limited.</summary>
    public UserNetworks? Networks { get; private set; }

    /// <summary>The period's bytes are used up.</summary>
    public bool IsExhausted => Volatile.Read(ref _isExhausted);

    /// <summary>Bytes that no loop has leased. 0 or less = there are none.</summary>
    public long Left => Interlocked.Read(ref _left);

    /// <summary>Other terms. Not on a loop, one caller at a time.</summary>
    public void Apply(UserTerms terms)
    {
        if (terms.MaxNetworks is not null) Networks ??= new UserNetworks();
        _down.Apply(terms.DownRate);
        _up.Apply(terms.UpRate);
    }

    /// <summary>
    /// The period has so many bytes left; what loops still have leased is theirs. Not on a loop, one caller at a time.
    /// </summary>
    /// <param name="left">null = no quota.</param>
    /// <returns>Nothing is left all at once: no session may read or write any more, so none would tell.</returns>
    public bool Refill(long? left)
    {
        Interlocked.Exchange(ref _left, left ?? long.MaxValue);
        return !Interlocked.Exchange(ref _isExhausted, left <= 0) && IsExhausted;
    }

    /// <summary>Whether bytes may be read from a client now.</summary>
    public bool MayReceive(long nowMs) => !IsExhausted && _up.IsOpen(nowMs);

    /// <summary>Whether bytes may be sent to a client now.</summary>
    public bool MaySend(long nowMs) => !IsExhausted && _down.IsOpen(nowMs);

    /// <summary>When one way is open, as far as is known now.</summary>
    public int OpensInMs(bool isDown, long nowMs) => isDown ? _down.OpensInMs(nowMs) : _up.OpensInMs(nowMs);

    /// <summary>Bytes to clients are held back, and what waits for that is not the client's doing.</summary>
    public bool HoldsBack => _down.IsSet;

    /// <summary>What the rate towards clients lets one session write at once: many sessions of a slow user take turns.</summary>
    public int AtOnceDown => _down.AtOnce;

    /// <summary>As much of a read that is for a client.</summary>
    public Span<byte> CutDown(Span<byte> area) => area[..Math.Min(area.Length, _down.AtOnce)];

    /// <summary>The same for bytes from clients.</summary>
    public Span<byte> CutUp(Span<byte> area) => area[..Math.Min(area.Length, _up.AtOnce)];

    /// <summary>Bytes came.</summary>
    /// <param name="lease">Of the loop.</param>
    /// <param name="bytes">How many.</param>
    /// <param name="nowMs">The loop's clock. Clocks of loops begin within the same moment, so one point in time is good for all.</param>
    public void SpendUp(ref long lease, int bytes, long nowMs)
    {
        _up.Pass(bytes, nowMs);
        Spend(ref lease, bytes);
    }

    /// <summary>Bytes went.</summary>
    public void SpendDown(ref long lease, int bytes, long nowMs)
    {
        _down.Pass(bytes, nowMs);
        Spend(ref lease, bytes);
    }

    private void Spend(ref long lease, int bytes)
    {
        lease -= bytes;
        if (lease >= 0) return;
        var left = Interlocked.Read(ref _left);
        if (left == long.MaxValue)
        {
            lease = 0;
            return;
        }

        // What was moved beyond the lease is taken whatever there is, and a lease never more than what is left.
        var moved = -lease;
        var taken = Math.Max(moved, Math.Min(moved + Math.Clamp(left / 100, LeastLeased, MostLeased), left));
        var rest = Interlocked.Add(ref _left, -taken);
        lease = taken - moved + Math.Min(rest, 0); // another loop was quicker
        if (rest > 0 || lease > 0) return;
        lease = 0;
        var isNews = !Interlocked.Exchange(ref _isExhausted, true);
        // There may have come more meanwhile, from somebody who cleared this before it was set.
        if (Left > 0) Volatile.Write(ref _isExhausted, false);
        else if (isNews) user.Ledger.SomeoneMustGo();
    }

    /// <summary>Why the user may not go on; null = may.</summary>
    public CloseReason? Refusal => IsExhausted ? CloseReason.UserQuota : null;
}
