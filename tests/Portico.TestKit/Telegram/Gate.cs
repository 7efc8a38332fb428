namespace Portico.TestKit.Telegram;

/// <summary>Holds a fake back until a test lets it go on. One gate may hold several connections.</summary>
public sealed class Gate
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _passage = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="isOpen">How it begins.</param>
    public Gate(bool isOpen)
    {
        if (isOpen)
            _passage.SetResult();
    }

    public bool IsOpen => Passage.IsCompleted;

    /// <summary>Completes as soon as the gate is open.</summary>
    internal Task Passage
    {
        get
        {
            lock (_lock)
                return _passage.Task;
        }
    }

    public void Open()
    {
        lock (_lock)
            _passage.TrySetResult();
    }

    public void Close()
    {
        lock (_lock)
        {
            if (_passage.Task.IsCompleted)
                _passage = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }
}
