namespace Portico.Core.Web;

/// <summary>
/// How often one user may begin things: far more than an app does, little enough that one link cannot keep all others out.
/// </summary>
internal sealed class WebRates
{
    private readonly Lock _gate = new();
    private Bucket _pages = new(perMinute: 60, most: 20);
    private Bucket _sessions = new(perMinute: 60, most: 20);
    private Bucket _streams = new(perMinute: 1200, most: 256);

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

    private struct Bucket(int perMinute, int most)
    {
        private const double MinuteMs = 60_000;

        private double _tokens = most;
        private long _sinceMs = long.MinValue;

        public bool Take(long nowMs)
        {
            if (_sinceMs != long.MinValue)
                _tokens = Math.Min(most, _tokens + (Math.Max(0, nowMs - _sinceMs) * perMinute / MinuteMs));
            _sinceMs = nowMs;
            if (_tokens < 1) return false;
            _tokens--;
            return true;
        }
    }
}
