namespace Portico.Core.Web;

/// <summary>How often something may begin.</summary>
/// <param name="PerMinute">In the long run.</param>
/// <param name="Most">At once, after a while without any.</param>
internal readonly record struct WebRate(int PerMinute, int Most);

/// <summary>How often one user, or all together, may begin things. From any thread.</summary>
/// <param name="pages">Showing the bridge page.</param>
/// <param name="sessions">Creating a session.</param>
/// <param name="streams">Opening a stream.</param>
internal sealed class WebRates(WebRate pages, WebRate sessions, WebRate streams)
{
    private readonly Lock _gate = new();
    private Bucket _pages = new(pages);
    private Bucket _sessions = new(sessions);
    private Bucket _streams = new(streams);

    /// <summary>Far more than an app does, little enough that one link cannot keep all others out.</summary>
    public static WebRates OfUser() => new(pages: new(60, 20), sessions: new(60, 20), streams: new(1200, 256));

    /// <summary>Of a listener: more than thousands of apps do that come back after a restart, little enough for the loops.</summary>
    public static WebRates OfAll() => new(pages: new(12_000, 2560), sessions: new(6000, 1280), streams: new(60_000, 5120));

    /// <summary>Whether the bridge page may be shown once more.</summary>
    /// <param name="nowMs">Monotonic; one clock for all calls of this kind.</param>
    public bool MayShowPage(long nowMs) => Take(ref _pages, nowMs);

    /// <summary>Whether one more session may be created.</summary>
    /// <inheritdoc cref="MayShowPage"/>
    public bool MayCreateSession(long nowMs) => Take(ref _sessions, nowMs);

    /// <summary>Whether one more stream may be opened.</summary>
    /// <inheritdoc cref="MayShowPage"/>
    public bool MayOpenStream(long nowMs) => Take(ref _streams, nowMs);

    private bool Take(ref Bucket bucket, long nowMs)
    {
        lock (_gate) return bucket.Take(nowMs);
    }

    private struct Bucket(WebRate rate)
    {
        private const double MinuteMs = 60_000;

        private double _tokens = rate.Most;
        private long _sinceMs = long.MinValue;

        public bool Take(long nowMs)
        {
            if (_sinceMs != long.MinValue)
                _tokens = Math.Min(rate.Most, _tokens + (Math.Max(0, nowMs - _sinceMs) * rate.PerMinute / MinuteMs));
            // Loops do not look at the clock at the same moment: time that was paid for once is not paid for again.
            _sinceMs = Math.Max(_sinceMs, nowMs);
            if (_tokens < 1) return false;
            _tokens--;
            return true;
        }
    }
}
