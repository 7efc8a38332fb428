using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core;

/// <summary>Ends the sessions of former secrets when their time is over. Runs on the first loop.</summary>
/// <param name="loop">The first.</param>
/// <param name="endRemoved">Ends sessions whose secret is good no longer. From any thread.</param>
internal sealed class FormerSecrets(EventLoop loop, Action endRemoved) : ILoopTask
{
    // A clock that is set is noticed within this.
    private const long LongestMs = 60_000;

    private long _dueMs = long.MaxValue;
    private long _lastSeen;
    private volatile ProxySettings? _settings;

    /// <summary>From now on those of these settings. From any thread.</summary>
    public void Watch(ProxySettings settings)
    {
        _settings = settings;
        if (settings.Listeners.Any(listener => listener.Credentials.Any(credential => credential.Until is not null)))
            loop.Post(this);
    }

    public void Run()
    {
        var now = loop.UnixSeconds;
        var ends = _settings!.Listeners.SelectMany(listener => listener.Credentials)
            .Where(credential => credential.Until is not null).Select(credential => credential.Until!.Value.ToUnixTimeSeconds()).ToList();
        if (ends.Exists(end => end > _lastSeen && end <= now)) endRemoved();
        _lastSeen = now;
        if (_dueMs <= loop.NowMs) _dueMs = long.MaxValue;
        if (ends.Where(end => end > now).DefaultIfEmpty().Min() is not (> 0 and var next)) return;
        var dueMs = loop.NowMs + Math.Min((next - now) * 1000, LongestMs);
        if (dueMs >= _dueMs) return; // an earlier one comes anyway, and goes on from there
        _dueMs = dueMs;
        loop.EnqueueAt(dueMs, this);
    }

    // Who proves a former secret is refused whatever happens here.
    public void OnFault(Exception error)
    {
    }
}
