using System.Threading.Tasks.Sources;

namespace Portico.Core.Net;

/// <summary>
/// Straight-line async code that waits for its channels: the awaitable that a loop completes.
/// It owns the channels while it waits; one wait at a time.
/// </summary>
/// <param name="loop">Whose events it waits for.</param>
internal abstract class LoopWaiter(EventLoop loop) : IChannelOwner, ILoopTask, IValueTaskSource<Wake>
{
    private ManualResetValueTaskSourceCore<Wake> _source;
    private bool _waiting;
    private Wake _wake;

    public EventLoop Loop => loop;

    /// <summary>A wake-up is in the loop's queue.</summary>
    protected bool IsQueued { get; private set; }

    /// <summary>
    /// Waits for news of any channel this waiter owns. The loop completes
    /// it after the batch of events, never inside one (docs/adr/0004).
    /// </summary>
    public ValueTask<Wake> NextEventAsync()
    {
        _source.Reset();
        _waiting = true;
        return new ValueTask<Wake>(this, _source.Version);
    }

    /// <summary>Lets the other sessions of the loop have their turn, then goes on; a deadline that has passed meanwhile is seen.</summary>
    public ValueTask<Wake> YieldAsync()
    {
        var next = NextEventAsync();
        Complete(Wake.Event);
        return next;
    }

    /// <summary>Arms the one deadline. Bytes never extend it: it is an absolute time of the loop's clock, in milliseconds.</summary>
    public abstract void SetDeadline(long dueMs);

    /// <summary>Something that is not a channel of its own has news for it.</summary>
    public void Nudge() => Complete(Wake.Event);

    public void OnReady(Channel channel) => Complete(Wake.Event);

    public void OnDeadline(Channel channel) => Complete(Wake.Deadline);

    public void OnShutdown(Channel channel) => Complete(Wake.Shutdown);

    public abstract void OnFault(Exception error);

    public void Run()
    {
        IsQueued = false;
        OnDequeued();
        if (!_waiting) return;
        _waiting = false;
        _source.SetResult(_wake);
    }

    Wake IValueTaskSource<Wake>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Wake>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<Wake>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>A wake-up has left the loop's queue and has not been delivered yet.</summary>
    protected abstract void OnDequeued();

    /// <summary>The code that waited is over.</summary>
    protected void StopWaiting() => _waiting = false;

    // A deadline or a stop outranks an event that is already queued; nothing outranks a stop.
    private void Complete(Wake wake)
    {
        if (IsQueued)
        {
            if (wake > _wake) _wake = wake;
            return;
        }

        _wake = wake;
        IsQueued = true;
        loop.Enqueue(this);
    }
}
