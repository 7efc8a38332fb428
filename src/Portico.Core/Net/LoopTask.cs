namespace Portico.Core.Net;

/// <summary>
/// A task that is queued at most once at a time: each event of a peer
/// that never stops sending would add a turn of its own, for good.
/// </summary>
internal abstract class LoopTask : ILoopTask
{
    private bool _isScheduled;

    public abstract void OnFault(Exception error);

    void ILoopTask.Run()
    {
        _isScheduled = false;
        Run();
    }

    /// <summary>Its turn has come.</summary>
    protected abstract void Run();

    /// <summary>Runs it in the next turn of <paramref name="loop"/>.</summary>
    protected void Schedule(EventLoop loop)
    {
        if (_isScheduled) return;
        _isScheduled = true;
        loop.Enqueue(this);
    }
}
