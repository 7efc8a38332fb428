using System.Collections.Immutable;
using Portico.Admin.Json;
using Portico.Core.Control;

namespace Portico.Admin.Overview;

/// <summary>What went on in each minute of the last day, kept in memory: a reading of the proxy's sums once a minute.</summary>
internal sealed class TrafficMinutes : IDisposable
{
    /// <summary>A day.</summary>
    public const int Most = 24 * 60;

    private readonly ProxyControl _control;
    private readonly int _most;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _gate = new();
    private readonly Queue<MinuteEntry> _minutes = new();
    private Sums _before;

    /// <summary>Begins to read.</summary>
    /// <param name="control">The proxy.</param>
    /// <param name="time">The clock.</param>
    /// <param name="most">So many minutes are kept.</param>
    public TrafficMinutes(ProxyControl control, TimeProvider time, int most = Most)
    {
        (_control, _time, _most) = (control, time, most);
        _before = SumsOf(control.Status(""), time.GetUtcNow());
        _timer = time.CreateTimer(_ => Read(), null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
    }

    private readonly record struct Sums(
        DateTimeOffset At, long Clients, long Connects, long Strangers, long EarlyEnds, long Received, long Sent);

    /// <summary>All of them, oldest first; the last one is under way.</summary>
    public ImmutableArray<MinuteEntry> Snapshot()
    {
        var now = SumsOf(_control.Status(""), _time.GetUtcNow());
        lock (_gate) return [.. _minutes, Between(_before, now)];
    }

    public void Dispose() => _timer.Dispose();

    private void Read()
    {
        var now = SumsOf(_control.Status(""), _time.GetUtcNow());
        lock (_gate)
        {
            if (_minutes.Count == _most) _minutes.Dequeue();
            _minutes.Enqueue(Between(_before, now));
            _before = now;
        }
    }

    // A listener that was taken away took its sums along.
    private static MinuteEntry Between(Sums from, Sums to) => new(
        from.At, Math.Round(Math.Max(0.001, (to.At - from.At).TotalSeconds), 3), to.Clients, Grown(from.Connects, to.Connects),
        Grown(from.Strangers, to.Strangers), Grown(from.EarlyEnds, to.EarlyEnds), Grown(from.Received, to.Received),
        Grown(from.Sent, to.Sent));

    private static long Grown(long from, long to) => Math.Max(0, to - from);

    private static Sums SumsOf(ProxyStatus status, DateTimeOffset at) => new(
        at, status.Listeners.Sum(it => it.Relaying), status.Listeners.Sum(it => it.Clients), status.Listeners.Sum(it => it.Strangers),
        status.Listeners.Sum(it => it.EarlyEnds), status.Listeners.Sum(it => it.ReceivedBytes), status.Listeners.Sum(it => it.SentBytes));
}
