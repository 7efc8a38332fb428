using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Web;

/// <summary>
/// One stream of a WEB session, for the session engine a client's connection like any other: what the app sends in DATA is read from it,
/// what is written to it waits until a batch for the app takes it along. No socket is behind it.
/// </summary>
internal sealed class WebStream : Channel
{
    /// <summary>Bytes that may wait for the app, so that what is sent by turns is not sent long after it came.</summary>
    public const int MostWaiting = 256 * 1024;

    private readonly WebSession _session;
    private ByteStore _arrived;
    private ByteStore _waiting;
    private bool _wasFull;

    public WebStream(WebSession session, WebLane lane, uint id)
        : base(session.Loop, NullOwner.Instance)
    {
        (_session, Lane, Id) = (session, lane, id);
        AssumeWritable();
    }

    /// <summary>By which what it has for the app goes.</summary>
    public WebLane Lane { get; }

    /// <summary>The app's number of it.</summary>
    public uint Id { get; }

    /// <summary>Whose it is.</summary>
    public WebUser User => _session.User;

    /// <summary>Bytes that came and were not read.</summary>
    public int Unread => _arrived.Length;

    /// <summary>Bytes for the app.</summary>
    public int Waiting => _waiting.Length;

    /// <summary>Nothing more goes to the app: it has sent CLOSE, or was sent one.</summary>
    public bool IsOver { get; private set; }

    /// <summary>The session engine has written its last byte: CLOSE follows what waits.</summary>
    public bool IsFinished => FinishedMs != 0;

    /// <summary>When it did, on the loop's clock; 0 = it has not.</summary>
    public long FinishedMs { get; private set; }

    /// <summary>Bytes read of what the app sent and not given back to it as credit.</summary>
    public uint CreditDue { get; set; }

    /// <summary>Called when the app has given it up, or has left: nobody is there for what is still to come.</summary>
    public Action<CloseReason>? GivenUp { get; set; }

    /// <summary>It stands in the session's queue of those that have something for the app.</summary>
    public bool IsQueued { get; set; }

    /// <summary>Something may be read or written again, which its owner has not been told.</summary>
    public bool IsDue { get; set; }

    /// <summary>Takes bytes of the app's. Its owner is told when the whole batch is there (<see cref="Tell"/>).</summary>
    /// <returns>False if nobody is there to read them.</returns>
    public bool Arrive(in ReadOnlySequence<byte> payload)
    {
        if (IsClosed || IsOver) return false;
        foreach (var part in payload) _arrived.Append(Loop.Buffers, part.Span);
        return true;
    }

    /// <summary>The stream is over on the wire, whatever waits; its owner hears of that later (<see cref="Tell"/>).</summary>
    public void End()
    {
        IsOver = true;
        DropArrived();
        DropWaiting();
    }

    /// <summary>The owner tries what it can: to read, to write, or to find that the app has left.</summary>
    /// <param name="reason">Why, if it was given up.</param>
    public void Tell(CloseReason reason)
    {
        IsDue = false;
        if (IsOver && !IsFinished) GiveUp(reason);
        else Raise(readable: !_arrived.IsEmpty, writable: true, hungUp: IsOver, failed: false);
    }

    // An exception of ours ends this one alone.
    private void GiveUp(CloseReason reason)
    {
        try
        {
            GivenUp?.Invoke(reason);
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            Owner.OnFault(error);
        }
    }

    /// <summary>Takes bytes for the app.</summary>
    /// <returns>Whether its owner is to hear that there is room again.</returns>
    public bool Take(Span<byte> target)
    {
        _waiting.Bytes[..target.Length].CopyTo(target);
        _waiting.Take(Loop.Buffers, target.Length);
        return LeaveFull();
    }

    /// <summary>Whether a write found no room, and its owner is to hear that there is some.</summary>
    public bool LeaveFull()
    {
        var wasFull = _wasFull && !IsClosed;
        _wasFull = false;
        return wasFull;
    }

    /// <summary>The app gives no credit for what its owner left behind: CLOSE goes without it.</summary>
    public void GiveUp()
    {
        DropWaiting();
        Lane.Add(this);
    }

    public override SocketError ConnectResult() => SocketError.Success;

    public override IPEndPoint? RemoteAddress() => _session.Client;

    public override IPEndPoint? LocalAddress() => null;

    /// <summary>What no batch has taken along.</summary>
    public override long UnacknowledgedBytes() => _waiting.Length;

    protected override IoStatus ReadCore(Span<byte> buffer, out int count)
    {
        count = Math.Min(buffer.Length, _arrived.Length);
        if (count == 0) return IsOver ? IoStatus.Eof : IoStatus.WouldBlock;
        _arrived.Bytes[..count].CopyTo(buffer);
        NoteRead(count);
        return IoStatus.Ok;
    }

    protected override IoStatus ReadWithGapsCore(Span<byte> area, int gap, int stride, out int count)
    {
        count = 0;
        if (_arrived.IsEmpty) return IsOver ? IoStatus.Eof : IoStatus.WouldBlock;
        for (var at = gap; at < area.Length && count < _arrived.Length; at += stride + gap)
        {
            var part = Math.Min(Math.Min(stride, area.Length - at), _arrived.Length - count);
            _arrived.Bytes.Slice(count, part).CopyTo(area[at..]);
            count += part;
        }

        NoteRead(count);
        return IoStatus.Ok;
    }

    // Towards an app that has left everything is as good as sent.
    protected override IoStatus WriteCore(ReadOnlySpan<byte> bytes, out int written)
    {
        written = bytes.Length;
        if (IsOver) return IoStatus.Ok;
        written = _waiting.IsEmpty && bytes.Length >= WebLane.WorthPassing ? Lane.Pass(this, bytes) : 0;
        bytes = bytes[written..];
        if (bytes.IsEmpty) return IoStatus.Ok;
        var kept = Math.Clamp(_session.RoomFor(this), 0, bytes.Length);
        _wasFull |= kept < bytes.Length;
        if (kept == 0) return IoStatus.Ok;
        _waiting.Append(Loop.Buffers, bytes[..kept]);
        _session.WasWritten(kept);
        written += kept;
        Lane.Add(this);
        return IoStatus.Ok;
    }

    // There is no half of a stream to close: the app hears CLOSE once it has everything, and the owner that the app has finished.
    protected override void ShutdownWriteCore() => Finish();

    protected override void CloseCore(bool abort)
    {
        DropArrived();
        if (abort) DropWaiting();
        Finish();
    }

    private void Finish()
    {
        if (IsFinished) return;
        FinishedMs = Loop.NowMs;
        if (!IsOver) Lane.Add(this);
    }

    private void NoteRead(int count)
    {
        _arrived.Take(Loop.Buffers, count);
        _session.WasRead(this, count);
    }

    private void DropArrived()
    {
        var unread = _arrived.Length;
        _arrived.Drop(Loop.Buffers);
        _session.WasDropped(unread, 0);
    }

    private void DropWaiting()
    {
        var waiting = _waiting.Length;
        _waiting.Drop(Loop.Buffers);
        _session.WasDropped(0, waiting);
    }
}
