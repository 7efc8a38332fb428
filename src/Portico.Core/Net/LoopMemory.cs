namespace Portico.Core.Net;

/// <summary>
/// What the relays of one loop know of memory: whether it is tight, and what each may hold then.
/// Written from outside by whoever watches the machine, read for each read of a relay: three loads while all is well.
/// </summary>
internal sealed class LoopMemory(EventLoop loop) : ILoopTask
{
    /// <summary>Bounds of what one client may hold while memory is tight.</summary>
    public const int LeastShare = 4096, MostShare = 64 * 1024;

    // No event tells that a peer has acknowledged something. So many milliseconds and a share each is what a
    // client that takes bytes gets: with the smallest 80 KB a second.
    private const int AgainMs = 50;

    // In one turn: each looks into its socket, and the other sessions of the loop have their turn, too.
    private const int MostPerTurn = 128;

    private List<LoopTask> _waiting = [];
    private List<LoopTask> _due = [];
    private int _next;
    private bool _isArmed;
    private byte _level;
    private bool _isShort;
    private int _share = MostShare;

    /// <summary>How short memory is.</summary>
    public MemoryLevel Level => (MemoryLevel)Volatile.Read(ref _level);

    /// <summary>Relays keep to their share: the machine is short of memory, or what this loop has rented exceeds its budget.</summary>
    public bool IsTight => Volatile.Read(ref _isShort) || loop.Buffers.Rented > loop.Buffers.Budget;

    /// <summary>So much of an area as one read may bring now.</summary>
    public Span<byte> Cut(Span<byte> area) => IsTight ? area[..Math.Min(area.Length, Volatile.Read(ref _share))] : area;

    /// <summary>From any thread.</summary>
    /// <param name="level">Of now.</param>
    /// <param name="isShort">Relays are to keep to their share.</param>
    /// <param name="share">What each session may hold while memory is tight.</param>
    public void Publish(MemoryLevel level, bool isShort, int share)
    {
        Volatile.Write(ref _share, Math.Clamp(share, LeastShare, MostShare));
        Volatile.Write(ref _isShort, isShort);
        Volatile.Write(ref _level, (byte)level);
    }

    /// <summary>Whether a read that ends in <paramref name="sink"/> may be made now. A system call only while memory is tight.</summary>
    public bool HasRoom(Channel sink) => !IsTight || sink.UnacknowledgedBytes() < Volatile.Read(ref _share);

    /// <summary>Wakes a task in a little while: called by <see cref="LoopTask.ScheduleWithRoom"/>, once at a time.</summary>
    public void Await(LoopTask task)
    {
        _waiting.Add(task);
        if (_isArmed) return;
        _isArmed = true;
        loop.EnqueueAt(loop.NowMs + AgainMs, this);
    }

    public void Run()
    {
        if (_next == _due.Count) Begin();
        for (var count = 0; count < MostPerTurn && _next < _due.Count; count++) _due[_next++].Release(loop);
        GoOn();
    }

    // Of one task; the others go on.
    public void OnFault(Exception error) => GoOn();

    private void Begin()
    {
        _due.Clear();
        (_waiting, _due, _next) = (_due, _waiting, 0);
    }

    private void GoOn()
    {
        if (_next < _due.Count)
        {
            loop.Enqueue(this);
            return;
        }

        (_isArmed, _next) = (_waiting.Count > 0, 0);
        _due.Clear();
        if (_isArmed) loop.EnqueueAt(loop.NowMs + AgainMs, this);
    }
}
