using Portico.Core.Net;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// What clients of this link were sent and have not taken yet (spec/03 section 8). A slow client is its own problem: it is closed by its own
/// limit. Only when all together owe too much, the link is not read; after a second of that the largest debtor goes.
/// </summary>
internal sealed partial class MiddleProxyConnection
{
    private const int PatienceMs = 1000;

    private long _owedBytes;
    private int _owedPackets;
    private bool _isPaused;
    private long _pausedMs;
    private Patience? _patience;

    /// <summary>A client could not be written to at once.</summary>
    public void Owe(long bytes, int packets)
    {
        _owedBytes += bytes;
        _owedPackets += packets;
        if (_isPaused || ExceededLimit() is not { } limit) return;
        _isPaused = true;
        _pausedMs = Loop.NowMs;
        _pool.Services.Metrics.DcBackPressure(_pool.Dc, limit);
        // A link may pause thousands of times a second: one timer serves them all.
        if (_patience is null) Loop.EnqueueAt(_pausedMs + PatienceMs, _patience = new Patience(this));
    }

    /// <summary>A client took what it owed, or is gone.</summary>
    public void Credit(long bytes, int packets)
    {
        _owedBytes -= bytes;
        _owedPackets -= packets;
        if (!_isPaused || ExceededLimit() is not null) return;
        EndPause();
        if (_queued || _phase == Phase.Lost) return;
        _queued = true;
        Loop.Enqueue(this);
    }

    private void EndPause()
    {
        if (!_isPaused) return;
        _isPaused = false;
        _pool.Services.Metrics.DcBackPressureEnded(_pool.Dc, (Loop.NowMs - _pausedMs) / 1000.0);
    }

    // Checked in the order of the reference; the name is the metric's label.
    private string? ExceededLimit()
    {
        var limits = _pool.Settings.BackPressure;
        if (_owedPackets > limits.PacketsTotal) return "count_total";
        if (_owedBytes > limits.BytesTotal) return "bytes_total";
        if (_owedPackets > (long?)limits.PacketsPerClient * _clients.Count) return "count_per_client";
        if (_owedBytes > limits.BytesPerClient * _clients.Count) return "bytes_per_client";
        return null;
    }

    private void PatienceEnded(Patience patience)
    {
        _patience = null;
        var (now, since) = (Loop.NowMs, _pausedMs);
        if (_isPaused && now - since >= PatienceMs)
        {
            CloseLargestDebtor();
            since = now;
        }

        if (_isPaused) Loop.EnqueueAt(since + PatienceMs, _patience = patience);
    }

    private void CloseLargestDebtor()
    {
        MiddleRelay? largest = null;
        foreach (var client in _clients.Values)
        {
            if (client.OwedBytes > (largest?.OwedBytes ?? 0)) largest = client;
        }

        largest?.OnLargestDebtor();
    }

    private sealed class Patience(MiddleProxyConnection link) : ILoopTask
    {
        public void Run() => link.PatienceEnded(this);

        public void OnFault(Exception error) => link.OnFault(error);
    }
}
