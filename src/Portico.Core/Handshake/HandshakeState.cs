using Portico.Core.Cover;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;

namespace Portico.Core.Handshake;

/// <summary>
/// Everything a session needs until it relays and nothing it needs afterwards: the raw bytes so far, the awaitable, the inner header.
/// Pooled per loop, so that a client that has been let in leaves no garbage; <c>ClientSession.RunAsync</c> runs on it.
/// </summary>
internal sealed class HandshakeState : LoopWaiter, IMemoryHolder
{
    private readonly HandshakePool _pool;
    private readonly Action _finish;
    private ValueTask _run;
    private IRelay? _relay;
    private bool _finished;
    private byte[]? _output;
    private int _outputStart;
    private int _outputEnd;
    private ArrivalTimes _arrivals;
    private bool _hasUnseen;
    private bool _hasMissedCover;
    private long _lastByteMs;

    public HandshakeState(HandshakePool pool, EventLoop loop)
        : base(loop)
    {
        _pool = pool;
        _finish = Finish;
    }

    /// <summary>The session that is being let in.</summary>
    public Session Session { get; private set; } = null!;

    Session? ISessionHolder.Session => Session;

    /// <summary>
    /// Raw bytes from accept on, kept until the judge has spoken.
    /// Rented with the first byte, given back after the greeting.
    /// </summary>
    public byte[]? Raw { get; private set; }

    /// <summary>How many of <see cref="Raw"/> are filled.</summary>
    public int RawLength { get; private set; }

    /// <summary>The 64 bytes that name DC and transport, as far as they are here.</summary>
    public HeaderBytes Header { get; } = new();

    /// <summary>The client's <see cref="Session.LimitedNetwork"/>, found out once: each question may be a system call.</summary>
    public ClientNetwork Network { get; private set; }

    /// <summary>What is known of the client.</summary>
    public HandshakeResult Result { get; } = new();

    /// <summary>Its place in the queue for trials of secrets; 0 = it waits for none.</summary>
    public int TrialTicket { get; set; }

    /// <summary>Slices of trials that its loop had given when it first asked for one; -1 = it has asked for none.</summary>
    public long TrialsSince { get; set; } = -1;

    /// <summary>The way to the cover, of somebody who is not ours or may turn out not to be; null until there is a need for one.</summary>
    public CoverConnection? Cover { get; private set; }

    /// <summary>Who has shown a secret is not given up for others.</summary>
    public MemoryStanding Standing => Session.Judged.IsClient ? MemoryStanding.Client : MemoryStanding.Caller;

    /// <summary>Memory rented for it.</summary>
    public long HeldBytes => (Raw?.Length ?? 0) + (_output?.Length ?? 0);

    /// <summary>When it came.</summary>
    public long SinceMs => Session.AcceptedMs;

    /// <summary>With its header it waits for its data centre, which is ours to find.</summary>
    public long QuietSinceMs => Session.Judged.HasHeader ? long.MaxValue : _lastByteMs;

    /// <summary>Its deadline is short: until then it is taken to get on.</summary>
    public long StuckMs(long nowMs) => 0;

    /// <summary>Ends it for want of memory, as when the proxy stops.</summary>
    public void LetGo(CloseReason reason) => Session.EndFor(reason);

    /// <summary>A way to Telegram stands: <paramref name="relay"/> begins when the steps are over.</summary>
    public StepResult Through(IRelay relay)
    {
        _relay = relay;
        return default;
    }

    /// <summary>Hands the relay over.</summary>
    public IRelay TakeRelay()
    {
        var relay = _relay!;
        _relay = null;
        return relay;
    }

    /// <summary>Takes the session's channel over for as long as it is being let in.</summary>
    public void Begin(Session session)
    {
        Session = session;
        session.Client.Owner = this;
        Network = session.LimitedNetwork(); // while accept has just told
        NoteByte();
    }

    /// <summary>A balancer's header was read.</summary>
    /// <inheritdoc cref="Session.ComesFrom"/>
    public void ComesFrom(StatedOrigin? origin)
    {
        Session.ComesFrom(origin);
        Network = Session.LimitedNetwork();
    }

    /// <summary>The client's address, as <see cref="Session.WriteClientAddress"/> has it; of IPv4 without asking again.</summary>
    public int WriteClientAddress(Span<byte> target) =>
        Network.TryWriteAddress(target, out var length) ? length : Session.WriteClientAddress(target);

    /// <summary>Comes back to the pool when the session's steps have ended.</summary>
    /// <param name="run">The steps; consumed here, exactly once.</param>
    public void FinishAfter(ValueTask run)
    {
        _run = run;
        var awaiter = run.GetAwaiter();
        if (awaiter.IsCompleted) Finish();
        else awaiter.UnsafeOnCompleted(_finish);
    }

    /// <summary>Reads what is there behind the raw bytes so far.</summary>
    public IoStatus ReadRaw(int limit)
    {
        if (_hasUnseen)
        {
            _hasUnseen = false;
            return IoStatus.Ok;
        }

        if (!Session.Client.CanRead) return IoStatus.WouldBlock;
        if (Raw is null) Raw = Loop.Buffers.Rent(FirstReadLength);
        else if (RawLength == Raw.Length) GrowRaw(limit);
        var room = Math.Min(Raw.Length, limit) - RawLength;
        var status = Session.Client.Read(Raw.AsSpan(RawLength, room), out var count);
        RawLength += count;
        Session.CountReceived(count);
        if (count > 0)
        {
            _arrivals.Note(RawLength, Loop.NowMs);
            NoteByte();
        }

        if (RawLength == 0) DropRaw();
        return status;
    }

    /// <summary>A byte came or went.</summary>
    public void NoteByte() => _lastByteMs = Loop.NowMs;

    /// <summary>Takes a header away that is not the client's; what came behind it is as if it had come now.</summary>
    public void DropFront(int length)
    {
        Raw.AsSpan(length, RawLength - length).CopyTo(Raw);
        RawLength -= length;
        _arrivals = default;
        if (RawLength == 0) DropRaw();
        else _arrivals.Note(RawLength, Loop.NowMs);
        LookAgain();
    }

    /// <summary>What was read is still to be judged.</summary>
    public void LookAgain() => _hasUnseen = RawLength > 0;

    /// <summary>Reads all there is, up to <paramref name="limit"/> bytes since accept.</summary>
    /// <returns>Eof, Reset, or Ok.</returns>
    public IoStatus ReadAllRaw(int limit)
    {
        while (RawLength < limit)
        {
            var status = ReadRaw(limit);
            if (status == IoStatus.WouldBlock) return IoStatus.Ok;
            if (status != IoStatus.Ok) return status;
        }

        return IoStatus.Ok;
    }

    /// <summary>Looks for a way to the cover: again for who found none before it was judged, which is counted once.</summary>
    public void OpenCover(CoverServices cover, CoverGuests guests, CoverTarget target) =>
        Cover = CoverConnection.Open(Session, this, cover, guests, target, _hasMissedCover);

    /// <summary>There is no way to the cover: until the client is judged it is as if there were no cover.</summary>
    public void MissCover()
    {
        _hasMissedCover = true;
        DropCover();
    }

    /// <summary>Passes on to the open cover what has come, in the pieces in which it came; false while some of it is to wait.</summary>
    public bool PassOnToCover()
    {
        var nextMs = Cover!.PassOn(Raw.AsSpan(0, RawLength), _arrivals);
        if (nextMs == long.MaxValue) return true;
        SetDeadline(nextMs);
        return false;
    }

    /// <summary>Gives the raw bytes back to the pool of buffers.</summary>
    public void DropRaw()
    {
        if (Raw is not null) Loop.Buffers.Return(Raw);
        Raw = null;
        RawLength = 0;
        _arrivals = default;
        _hasUnseen = false;
    }

    /// <summary>Closes the way to the cover: the client proved to be ours, or there will be no cover for it.</summary>
    public void DropCover()
    {
        Cover?.Drop();
        Cover = null;
    }

    /// <summary>Hands the way to the cover over to whoever relays.</summary>
    public CoverConnection TakeCover()
    {
        var taken = Cover!;
        Cover = null;
        return taken;
    }

    /// <summary>Decrypts and keeps what came behind the header.</summary>
    public void KeepEarly(Span<byte> bytes) => Result.KeepEarly(Loop.Buffers, bytes);

    /// <summary>Writes to the client; keeps what its kernel has no room for and returns how much that is.</summary>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        Session.MarkAnswered();
        NoteByte();
        Session.Client.Write(bytes, out var written);
        Session.CountSent(written);
        if (written == bytes.Length) return 0;
        _output = Loop.Buffers.Rent(bytes.Length - written);
        bytes[written..].CopyTo(_output);
        (_outputStart, _outputEnd) = (0, bytes.Length - written);
        return _outputEnd;
    }

    /// <summary>Writes what <see cref="Send"/> kept; returns how much is still left.</summary>
    public int FlushOutput()
    {
        Session.Client.Write(_output.AsSpan(_outputStart, _outputEnd - _outputStart), out var written);
        Session.CountSent(written);
        _outputStart += written;
        if (_outputStart == _outputEnd) DropOutput();
        return _outputEnd - _outputStart;
    }

    /// <summary>Arms the handshake's deadline. Bytes never extend it: callers pass absolute times.</summary>
    public override void SetDeadline(long dueMs) => Session.Client.SetDeadline(dueMs);

    public override void OnFault(Exception error) => Session.Fault(error);

    protected override void OnDequeued()
    {
        if (_finished) ReturnToPool();
    }

    // Most hellos fit; the rare longer one moves to a buffer that holds the longest.
    private const int FirstReadLength = 4096;

    private void GrowRaw(int limit)
    {
        var larger = Loop.Buffers.Rent(limit);
        Raw.AsSpan(0, RawLength).CopyTo(larger);
        Loop.Buffers.Return(Raw!);
        Raw = larger;
    }

    private void DropOutput()
    {
        if (_output is not null) Loop.Buffers.Return(_output);
        _output = null;
        _outputStart = _outputEnd = 0;
    }

    private void Finish()
    {
        try
        {
            _run.GetAwaiter().GetResult();
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            Session.Fault(error);
        }

        DropRaw();
        DropOutput();
        Result.Reset(Loop.Buffers);
        DropCover();
        Header.Clear();
        (TrialTicket, TrialsSince) = (0, -1);
        _hasMissedCover = false;
        StopWaiting();
        _run = default;
        Session = null!;
        Network = default;
        _finished = true;
        if (!IsQueued) ReturnToPool();
    }

    // Not while a wake-up of the last session is still queued: the next one would take it for its own.
    private void ReturnToPool()
    {
        _finished = false;
        _pool.Return(this);
    }
}
