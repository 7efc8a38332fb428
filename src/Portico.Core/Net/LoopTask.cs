namespace Portico.Core.Net;

/// <summary>
/// A task that is queued at most once at a time: each event of a peer
/// that never stops sending would add a turn of its own, for good.
/// </summary>
internal abstract class LoopTask : ILoopTask
{
    private bool _isScheduled;
    private bool _awaitsRoom;

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

    /// <summary>Runs it in a little while: memory is tight, and what it would read for has its share.</summary>
    protected void ScheduleWithRoom(EventLoop loop)
    {
        if (_awaitsRoom) return;
        _awaitsRoom = true;
        loop.Memory.Await(this);
    }

    /// <summary>Called by <see cref="LoopMemory"/>.</summary>
    internal void Release(EventLoop loop)
    {
        _awaitsRoom = false;
        Schedule(loop);
    }
}
