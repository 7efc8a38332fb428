using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace Portico.Core.Net;

/// <summary>
/// One thread, and everything that lives on it: channels, deadlines, scratch memory, queued continuations.
/// A session is born, lives and dies on one loop, so nothing here locks except
/// <see cref="Post(ILoopTask)"/>. Engines derive from it and supply waiting and sockets.
/// </summary>
internal abstract class EventLoop
{
    private const int AcceptRetryMs = 100;

    private readonly TimeProvider _time;
    private readonly long _startTimestamp;
    private readonly ConcurrentQueue<ILoopTask> _posts = new();
    private Queue<ILoopTask> _tasks = new();
    private Queue<ILoopTask> _running = new();
    private readonly PriorityQueue<ILoopTask, long> _timed = new();
    private long _acceptRetryMs;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;
    private int _thread;

    protected EventLoop(int index, TimeProvider time)
    {
        Index = index;
        _time = time;
        _startTimestamp = time.GetTimestamp();
        ReadClock();
        Deadlines = new DeadlineWheel(NowMs);
        Memory = new LoopMemory(this);
    }

    /// <summary>Its clock.</summary>
    public TimeProvider Time => _time;

    /// <summary>Which loop this is, from 0.</summary>
    public int Index { get; }

    /// <summary>Monotonic milliseconds, as of the events at hand.</summary>
    public long NowMs { get; private set; }

    /// <summary>Seconds since 1970 as the operating system has them, for the signing time of a hello.</summary>
    public long UnixSeconds => _time.GetUtcNow().ToUnixTimeSeconds();

    public SlotTable Slots { get; } = new();

    public DeadlineWheel Deadlines { get; }

    public Scratch Scratch { get; } = new();

    public BufferPool Buffers { get; } = new();

    /// <summary>Whether relays have to be content with less.</summary>
    public LoopMemory Memory { get; }

    /// <summary>
    /// A listener ran out of descriptors or memory and stopped accepting. It tries again as soon as a channel of this loop closes, and
    /// every <see cref="AcceptRetryMs"/> because other loops may hold all descriptors.
    /// </summary>
    protected bool AcceptPaused { get; private set; }

    /// <summary>Faults when the loop died of an exception; completes after <see cref="Stop"/>.</summary>
    public Task Completion => _ended.Task;

    /// <summary>A failure of the process rather than of one session: it may not be survived.</summary>
    public static bool IsFatal(Exception error) => error is OutOfMemoryException or StackOverflowException or LoopFailure;

    /// <summary>Gives the loop a thread of its own.</summary>
    public void Start() => new Thread(Run) { Name = $"portico-loop-{Index}", IsBackground = true }.Start();

    /// <summary>Ends the loop after the turn at hand. From any thread.</summary>
    public void Stop() => Post(() => _stopping = true);

    /// <summary>Turns of this loop so far.</summary>
    public long Turns { get; private set; }

    /// <summary>Runs <paramref name="task"/> on this loop soon. From any thread.</summary>
    public void Post(ILoopTask task)
    {
        _posts.Enqueue(task);
        Wake();
    }

    /// <summary>The same for work of the loop itself, without which it must not go on: an exception ends it, and so the process.</summary>
    public void Post(Action action) => Post(new OwnWork(action));

    /// <summary>The same for work of one part, without which the loop goes on.</summary>
    /// <param name="action">What is to be done.</param>
    /// <param name="onFault">Hears, on the loop, of the exception that ended it.</param>
    public void Post(Action action, Action<Exception> onFault) => Post(new GuardedWork(action, onFault));

    /// <summary>Runs <paramref name="task"/> in the next turn. For code on this loop.</summary>
    public void Enqueue(ILoopTask task)
    {
        Assert();
        _tasks.Enqueue(task);
    }

    /// <summary>
    /// Runs <paramref name="task"/> in the first turn at or after <paramref name="dueMs"/>. For the few things that
    /// have no channel to arm a deadline on; cannot be taken back, so the task looks whether it is still wanted.
    /// </summary>
    public void EnqueueAt(long dueMs, ILoopTask task)
    {
        Assert();
        _timed.Enqueue(task, dueMs);
    }

    /// <summary>Checked builds: throws when the calling thread is not the loop's.</summary>
    public void Assert()
    {
        if (LoopChecks.Enabled && _thread != 0 && _thread != Environment.CurrentManagedThreadId)
            throw new InvalidOperationException("a channel was touched off its loop");
    }

    /// <summary>
    /// Begins to connect. The owner hears when the channel becomes writable;
    /// <see cref="Channel.ConnectResult"/> then says how it went.
    /// </summary>
    /// <param name="address">An <see cref="IPEndPoint"/> or a <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="from">An address of this machine; null = the system chooses.</param>
    /// <param name="owner">Whom the channel tells.</param>
    /// <param name="error">Why there is no channel.</param>
    /// <returns>Null when no socket could be had; <paramref name="error"/> says why.</returns>
    public abstract Channel? Connect(EndPoint address, IPAddress? from, IChannelOwner owner, out SocketError error);

    /// <summary>On the loop: takes over a connected socket, of which nothing was read or written yet.</summary>
    /// <param name="socket">The loop's from now on.</param>
    /// <param name="owner">Whom the channel tells.</param>
    /// <returns>Null, with the socket closed, if its peer is gone or the loop can watch no more of them.</returns>
    public abstract Channel? Adopt(Socket socket, IChannelOwner owner);

    /// <summary>Makes <see cref="Turn"/> return at once, or not sleep when it is called next. From any thread.</summary>
    protected abstract void Wake();

    /// <summary>Waits at most <paramref name="timeoutMs"/> (-1 = for ever) and raises what happened.</summary>
    protected abstract void WaitAndRaise(int timeoutMs);

    /// <summary>For engines: accepting failed for want of a resource.</summary>
    protected void PauseAccept()
    {
        AcceptPaused = true;
        _acceptRetryMs = NowMs + AcceptRetryMs;
    }

    /// <summary>Listeners that had paused may go on.</summary>
    protected virtual void ResumeAccept() => AcceptPaused = false;

    /// <summary>Binds the loop to the calling thread.</summary>
    protected void Enter() => _thread = Environment.CurrentManagedThreadId;

    /// <summary>
    /// One turn: events, then what they queued, then posts and deadlines,
    /// then closed slots become free (docs/adr/0003, 0004).
    /// </summary>
    protected void Turn()
    {
        Turns++;
        WaitAndRaise(_tasks.Count > 0 || !_posts.IsEmpty ? 0 : SleepMs());
        ReadClock();
        while (_timed.TryPeek(out var task, out var dueMs) && dueMs <= NowMs) _tasks.Enqueue(_timed.Dequeue());
        RunTasks();
        RunPosts();
        Deadlines.Advance(NowMs, Slots);
        var freed = Slots.FreeRetired();
        if (AcceptPaused && (freed || NowMs >= _acceptRetryMs)) ResumeAccept();
    }

    /// <summary>Engines call this between waiting and raising, so that handlers see the present.</summary>
    // The clock starts at one tick: the wheel keeps tick 0 for "not armed".
    protected void ReadClock() => NowMs = (long)_time.GetElapsedTime(_startTimestamp).TotalMilliseconds + DeadlineWheel.TickMs;

    private void Run()
    {
        try
        {
            Enter();
            while (!_stopping) Turn();
            _ended.SetResult();
        }
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            // Whoever waits for Completion ends the process: a proxy with a dead loop would refuse every n-th client for no visible reason.
            _ended.SetException(error);
        }
    }

    /// <summary>Milliseconds until something becomes due by the clock alone; -1 when nothing will.</summary>
    internal int SleepMs()
    {
        var sleep = Deadlines.SleepMs(NowMs);
        if (_timed.TryPeek(out _, out var dueMs))
            sleep = (int)Math.Clamp(dueMs - NowMs, 0, sleep < 0 ? int.MaxValue : sleep);
        return AcceptPaused && (sleep < 0 || sleep > AcceptRetryMs) ? AcceptRetryMs : sleep;
    }

    // What a task queues is for the next turn: a session that always has more to read must not keep the others from their events.
    private void RunTasks()
    {
        (_tasks, _running) = (_running, _tasks);
        while (_running.TryDequeue(out var task)) Run(task);
    }

    private void RunPosts()
    {
        for (var count = _posts.Count; count > 0 && _posts.TryDequeue(out var task); count--) Run(task);
    }

    private static void Run(ILoopTask task)
    {
        try
        {
            task.Run();
        }
        catch (Exception error) when (!IsFatal(error))
        {
            task.OnFault(error);
        }
    }

    private sealed class OwnWork(Action action) : ILoopTask
    {
        public void Run() => action();

        public void OnFault(Exception error) => ExceptionDispatchInfo.Throw(error);
    }

    private sealed class GuardedWork(Action action, Action<Exception> onFault) : ILoopTask
    {
        public void Run() => action();

        public void OnFault(Exception error) => onFault(error);
    }
}

/// <summary>The loop itself cannot go on; the process ends with exit code 1 rather than limping (docs/adr/0006).</summary>
internal sealed class LoopFailure(string message) : Exception(message);
