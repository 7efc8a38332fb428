using System.Threading.Tasks.Sources;
using Portico.Core.Clients;
using Portico.Core.Cover;
using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>
/// Everything a session needs until it relays and nothing it needs afterwards: the raw bytes so far, the awaitable, the inner header.
/// Pooled per loop, so that a client that has been let in leaves no garbage; <see cref="ClientSession.RunAsync"/> runs on it.
/// </summary>
internal sealed class HandshakeState : IChannelOwner, ILoopTask, IValueTaskSource<Wake>
{
    private readonly HandshakePool _pool;
    private readonly Action _finish;
    private ManualResetValueTaskSourceCore<Wake> _source;
    private ValueTask _run;
    private bool _waiting;
    private bool _queued;
    private bool _finished;
    private Wake _wake;
    private byte[]? _output;
    private int _outputStart;
    private int _outputEnd;

    public HandshakeState(HandshakePool pool, EventLoop loop)
    {
        _pool = pool;
        Loop = loop;
        _finish = Finish;
    }

    public EventLoop Loop { get; }

    /// <summary>The session that is being let in.</summary>
    public ClientSession Session { get; private set; } = null!;

    /// <summary>Raw bytes from accept on, kept until the judge has spoken. Rented with the first byte, given back after the greeting.</summary>
    public byte[]? Raw { get; private set; }

    /// <summary>How many of <see cref="Raw"/> are filled.</summary>
    public int RawLength { get; private set; }

    /// <summary>The 64 bytes that name DC and transport, as far as they are here.</summary>
    public HeaderBytes Header { get; } = new();

    /// <summary>What is known of the client.</summary>
    public HandshakeResult Client { get; } = new();

    /// <summary>The way to the cover, of somebody who is not ours or may turn out not to be; null until there is a need for one.</summary>
    public CoverConnection? Cover { get; set; }

    /// <summary>Starts <see cref="ClientSession.RunAsync"/> and comes back to the pool when it has ended.</summary>
    public void Start(ClientSession session)
    {
        Session = session;
        session.Client.Owner = this;
#pragma warning disable CA2012 // Consumed exactly once, by Finish; the box behind it is pooled.
        _run = session.RunAsync(this);
#pragma warning restore CA2012
        var awaiter = _run.GetAwaiter();
        if (awaiter.IsCompleted) Finish();
        else awaiter.UnsafeOnCompleted(_finish);
    }

    /// <summary>Reads what is there behind the raw bytes so far.</summary>
    public IoStatus ReadRaw(int limit)
    {
        if (!Session.Client.CanRead) return IoStatus.WouldBlock;
        if (Raw is null) Raw = Loop.Buffers.Rent(FirstReadLength);
        else if (RawLength == Raw.Length) GrowRaw(limit);
        var room = Math.Min(Raw.Length, limit) - RawLength;
        var status = Session.Client.Read(Raw.AsSpan(RawLength, room), out var count);
        RawLength += count;
        Session.CountReceived(count);
        if (RawLength == 0) DropRaw();
        return status;
    }

    /// <summary>Gives the raw bytes back to the pool of buffers.</summary>
    public void DropRaw()
    {
        if (Raw is not null) Loop.Buffers.Return(Raw);
        Raw = null;
        RawLength = 0;
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
    public void KeepEarly(Span<byte> bytes) => Client.KeepEarly(Loop.Buffers, bytes);

    /// <summary>Writes to the client; keeps what its kernel has no room for and returns how much that is.</summary>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        Session.MarkAnswered();
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

    /// <summary>Waits for news of any channel this handshake owns. The loop completes it after the batch of events, never inside one (docs/adr/0004).</summary>
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

    /// <summary>Arms the handshake's deadline. Bytes never extend it: callers pass absolute times.</summary>
    public void SetDeadline(long dueMs) => Session.Client.SetDeadline(dueMs);

    /// <summary>Something that is not a channel of its own has news for a waiting handshake.</summary>
    public void Nudge() => Complete(Wake.Event);

    public void OnReady(Channel channel) => Complete(Wake.Event);

    public void OnDeadline(Channel channel) => Complete(Wake.Deadline);

    public void OnShutdown(Channel channel) => Complete(Wake.Shutdown);

    public void OnFault(Exception error) => Session.Fault(error);

    public void Run()
    {
        _queued = false;
        if (_finished) ReturnToPool();
        if (!_waiting) return;
        _waiting = false;
        _source.SetResult(_wake);
    }

    Wake IValueTaskSource<Wake>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<Wake>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<Wake>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

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

    // A deadline or a stop outranks an event that is already queued; nothing outranks a stop.
    private void Complete(Wake wake)
    {
        if (_queued)
        {
            if (wake > _wake) _wake = wake;
            return;
        }

        _wake = wake;
        _queued = true;
        Loop.Enqueue(this);
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
        Client.Reset(Loop.Buffers);
        DropCover();
        Header.Clear();
        _waiting = false;
        _run = default;
        Session = null!;
        _finished = true;
        if (!_queued) ReturnToPool();
    }

    // Not while a wake-up of the last session is still queued: the next one would take it for its own.
    private void ReturnToPool()
    {
        _finished = false;
        _pool.Return(this);
    }
}
