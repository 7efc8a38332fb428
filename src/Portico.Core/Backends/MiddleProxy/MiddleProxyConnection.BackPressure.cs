using Portico.Core.Net;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>Clients that are slower than their link: the link's own part of what <see cref="LinkDebt"/> decides.</summary>
internal sealed partial class MiddleProxyConnection
{
    private readonly LinkDebt _debt;
    private Patience? _patience;

    /// <summary>A client could not be written to at once.</summary>
    public void Owe(long bytes, int packets)
    {
        if (!_debt.Owe(bytes, packets, Loop.NowMs)) return;
        _pool.Services.Metrics.DcBackPressure(_pool.Dc, _debt.Paused.Tag());
        // A link may pause thousands of times a second: one timer serves them all.
        if (_patience is null) Loop.EnqueueAt(_debt.DueMs, _patience = new Patience(this));
    }

    /// <summary>A client took what it owed, or is gone.</summary>
    public void Pay(long bytes, int packets)
    {
        if (!_debt.Pay(bytes, packets, Loop.NowMs)) return;
        _pool.Services.Metrics.DcBackPressureEnded(_pool.Dc, _debt.LastPauseMs / 1000.0);
        if (_queued || _phase == Phase.Lost) return;
        _queued = true;
        Loop.Enqueue(this);
    }

    private void EndPause()
    {
        if (_debt.EndPause(Loop.NowMs) >= 0)
            _pool.Services.Metrics.DcBackPressureEnded(_pool.Dc, _debt.LastPauseMs / 1000.0);
    }

    private void PatienceEnded(Patience patience)
    {
        _patience = null;
        var now = Loop.NowMs;
        if (_debt.IsPaused && now >= _debt.DueMs)
        {
            while (_debt.Victim(_clients.Values, now) is MiddleRelay victim) victim.OnLargestDebtor();
        }

        if (_debt.IsPaused) Loop.EnqueueAt(_debt.DueMs, _patience = patience);
    }

    private sealed class Patience(MiddleProxyConnection link) : ILoopTask
    {
        public void Run() => link.PatienceEnded(this);

        public void OnFault(Exception error) => link.OnFault(error);
    }
}
