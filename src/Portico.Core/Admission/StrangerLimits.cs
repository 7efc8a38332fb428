using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Admission;

/// <summary>Which secrets a caller is tried with.</summary>
internal enum TrialExtent : byte
{
    /// <summary>All that it may know.</summary>
    All,

    /// <summary>Those that were right last on its network, and no others: a handful.</summary>
    OwnNetwork,

    /// <summary>None.</summary>
    None,
}

/// <summary>
/// How many callers of one network may be tried with all secrets in vain, on one loop: a token bucket for each network.
/// Without it a single machine keeps a loop busy with trials of secrets that nobody has signed with.
/// </summary>
/// <remarks>
/// <para>
/// A token is taken when the trials have failed, or were left before their end; who proves a secret never pays. So a thousand phones
/// behind one address all come in at the same instant, whatever their number of secrets makes of an instant. Strangers
/// who are tried at the same time may overdraw the bucket, by no more than <see cref="AddressLimits"/> lets be there, and what
/// is overdrawn has to flow in again.
/// </para>
/// <para>
/// While the bucket of a network is empty, its callers are strangers at once and without a trial. Where somebody was let in lately,
/// the secrets that were right last on that network are still tried. That is a handful, cheaper than the connection itself,
/// so no number of strangers behind an address keeps those out who were there before them.
/// </para>
/// <para>
/// The kernel deals connections out to the loops, so each loop has its share, and none asks another.
/// A bucket is one number, the time at which it will be full again; a full one is nothing.
/// </para>
/// </remarks>
internal sealed class StrangerLimits
{
    // An app opens eight connections at a time: three with an old secret behind one address do not use up a loop's share.
    private const int LeastBurst = 24;

    // A full table is what a flood from thousands of networks brings about. Two of them are 384 KB in each loop.
    private const int Networks = 8192;

    private const long UsPerMs = 1000, UsPerSecond = 1_000_000, MostDebtUs = 60 * UsPerSecond, RememberUs = 600 * UsPerSecond;

    private readonly EventLoop _loop;
    private readonly int _loops;
    private bool _countsLoopback;
    private long _tokenUs;
    private long _burstUs;
    private NetworkTimes? _fullAgain;
    private NetworkTimes? _rememberedUntil;

    /// <param name="settings">The limit of the whole proxy.</param>
    /// <param name="loop">The loop.</param>
    /// <param name="loops">How many loops there are.</param>
    public StrangerLimits(LimitSettings settings, EventLoop loop, int loops)
    {
        _loop = loop;
        _loops = loops;
        Apply(settings);
    }

    /// <summary>On the loop: another limit. What networks have used up of the one before is not forgotten.</summary>
    public void Apply(LimitSettings settings)
    {
        _countsLoopback = settings.CountsLoopback;
        if (settings.StrangersPerSecond == 0)
        {
            (_fullAgain, _rememberedUntil) = (null, null);
            return;
        }

        _tokenUs = Math.Max(1, _loops * UsPerSecond / settings.StrangersPerSecond);
        _burstUs = _tokenUs * Math.Max(LeastBurst, (settings.StrangerBurst + _loops - 1) / _loops);
        _fullAgain ??= new NetworkTimes(Networks);
        _rememberedUntil ??= new NetworkTimes(Networks);
    }

    /// <summary>Networks whose bucket is empty. Other threads may ask.</summary>
    public int Exhausted => _fullAgain?.CountLaterThan(NowUs + _burstUs - _tokenUs) ?? 0;

    /// <summary>Networks that there is room for; beyond that the one that fails least is forgotten. Other threads may ask.</summary>
    public int Room => _fullAgain?.Capacity ?? 0;

    private long NowUs => _loop.NowMs * UsPerMs;

    /// <summary>Which secrets a caller of this network is to be tried with now. Takes nothing.</summary>
    public TrialExtent ExtentFor(ClientNetwork network)
    {
        if (!IsCounted(network)) return TrialExtent.All;
        var now = NowUs;
        if (_fullAgain!.Of(network) - now <= _burstUs - _tokenUs) return TrialExtent.All;
        return _rememberedUntil!.Of(network) > now ? TrialExtent.OwnNetwork : TrialExtent.None;
    }

    /// <summary>All secrets were tried on a caller of this network in vain, or it left meanwhile.</summary>
    public void Pay(ClientNetwork network)
    {
        if (!IsCounted(network)) return;
        var now = NowUs;
        var full = Math.Max(_fullAgain!.Of(network), now) + _tokenUs;
        _fullAgain.Set(network, Math.Min(full, now + _burstUs + MostDebtUs));
    }

    /// <summary>A client was let in from this network.</summary>
    public void Remember(ClientNetwork network)
    {
        if (IsCounted(network)) _rememberedUntil!.Set(network, NowUs + RememberUs);
    }

    private bool IsCounted(ClientNetwork network) =>
        _fullAgain is not null && network.IsKnown && (_countsLoopback || !network.IsLoopback);
}
