using System.Collections.Frozen;
using Portico.Protocol.Secrets;

namespace Portico.Core.Web;

/// <summary>Bounds of all sessions of one listener together. From any thread.</summary>
/// <param name="limits">In force at first.</param>
/// <param name="report">Told of what was refused.</param>
internal sealed class WebBounds(WebLimits limits, WebReport report)
{
    private readonly WebRates _all = WebRates.OfAll();
    private FrozenDictionary<ProxySecret, WebRates> _rates = FrozenDictionary<ProxySecret, WebRates>.Empty;
    private volatile WebLimits _limits = limits;
    // Open ones, those that have shown no header too: no other limit knows of them yet.
    private int _streams;

    /// <summary>Told of what happens to sessions.</summary>
    public WebReport Report => report;

    /// <summary>In force. What there is over new ones stays.</summary>
    public WebLimits Limits
    {
        get => _limits;
        set => _limits = value;
    }

    /// <summary>
    /// Rates of users, by secret: both forms of one user's link draw on the same. Who was there before has what is left, or every reload
    /// would be a burst. By one caller at a time; those who are not named any more are forgotten.
    /// </summary>
    public FrozenDictionary<ProxySecret, WebRates> RatesOf(IEnumerable<ProxySecret> secrets)
    {
        var before = _rates;
        return _rates = secrets.ToFrozenDictionary(
            secret => secret, secret => before.GetValueOrDefault(secret) ?? WebRates.OfUser());
    }

    /// <summary>Whether a user may be shown the bridge page once more. Whoever asks too often takes nothing of what all may.</summary>
    /// <param name="user">Who.</param>
    /// <param name="nowMs">On one clock for all calls of this kind.</param>
    public bool MayShowPage(WebUser user, long nowMs) => user.Rates.MayShowPage(nowMs) && _all.MayShowPage(nowMs);

    /// <summary>Whether a user may create one more session.</summary>
    /// <inheritdoc cref="MayShowPage"/>
    public bool MayCreateSession(WebUser user, long nowMs) => user.Rates.MayCreateSession(nowMs) && _all.MayCreateSession(nowMs);

    /// <summary>Whether a user may open one more stream, for which <see cref="LeaveStream"/> is called once.</summary>
    /// <param name="user">Who.</param>
    /// <param name="nowMs">On a loop's clock.</param>
    public bool TryEnterStream(WebUser user, long nowMs)
    {
        if (Interlocked.Increment(ref _streams) <= _limits.Streams
            && user.Rates.MayOpenStream(nowMs) && _all.MayOpenStream(nowMs))
            return true;
        LeaveStream();
        RefuseStream();
        return false;
    }

    /// <summary>A stream is over.</summary>
    public void LeaveStream() => Interlocked.Decrement(ref _streams);

    /// <summary>A session has as many as it may.</summary>
    public void RefuseStream() => report.Refused("streams");
}
