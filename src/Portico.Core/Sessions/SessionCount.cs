namespace Portico.Core.Sessions;

/// <summary>Sessions that are open, over all loops, handshakes included.</summary>
internal sealed class SessionCount
{
    private TaskCompletionSource? _whenEmpty;
    private int _count;

    public int Value => Volatile.Read(ref _count);

    public void Opened() => Interlocked.Increment(ref _count);

    public void Closed()
    {
        if (Interlocked.Decrement(ref _count) == 0) Volatile.Read(ref _whenEmpty)?.TrySetResult();
    }

    /// <summary>Completes when the last session is gone. For the one stop of a proxy, when no new ones come.</summary>
    public Task WhenEmptyAsync()
    {
        var empty = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _whenEmpty, empty);
        if (Value == 0) empty.TrySetResult();
        return empty.Task;
    }
}
