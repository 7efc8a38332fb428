using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net;

/// <summary>One non-blocking byte stream that belongs to one loop: the seam between session code and the engines (docs/adr/0001).</summary>
/// <remarks>
/// An edge sets <see cref="CanRead"/> or <see cref="CanWrite"/>; only a short or refused read or write clears it (docs/adr/0002).
/// Whoever starts a new phase tries first and waits second, so no wake-up is lost between two owners.
/// </remarks>
internal abstract class Channel
{
    private Traits _traits;

    protected Channel(EventLoop loop, IChannelOwner owner)
    {
        Loop = loop;
        Owner = owner;
        Slot = loop.Slots.Add(this);
    }

    [Flags]
    private enum Traits : byte
    {
        None = 0,
        Readable = 1,
        Writable = 2,
        HungUp = 4,
        Failed = 8,
        Closed = 16,
        Settled = 32,
        KeptAlive = 64,
        ShortReads = 128,
    }

    /// <summary>The loop whose thread alone may touch this channel.</summary>
    public EventLoop Loop { get; }

    /// <summary>Who is told of readiness. Changes hands when a session enters its next phase.</summary>
    public IChannelOwner Owner { get; set; }

    /// <summary>Index into <see cref="EventLoop.Slots"/>.</summary>
    public int Slot { get; }

    /// <summary>A read is worth trying.</summary>
    public bool CanRead => (_traits & Traits.Readable) != 0;

    /// <summary>A write is worth trying. Becomes true for the first time when a connect has ended, either way.</summary>
    public bool CanWrite => (_traits & Traits.Writable) != 0;

    /// <summary>The peer closed its side or the connection failed; what was received before is still there to be read.</summary>
    public bool HungUp => (_traits & Traits.HungUp) != 0;

    /// <summary>The connection failed as a whole: nothing written will arrive.</summary>
    public bool Failed => (_traits & Traits.Failed) != 0;

    /// <summary><see cref="Close"/> or <see cref="Abort"/> was called.</summary>
    public bool IsClosed => (_traits & Traits.Closed) != 0;

    /// <summary><see cref="Settle"/> was called.</summary>
    public bool IsSettled => (_traits & Traits.Settled) != 0;

    /// <summary>Reads at most <paramref name="buffer"/>'s length. <paramref name="count"/> is 0 unless the status is Ok.</summary>
    public IoStatus Read(Span<byte> buffer, out int count)
    {
        count = 0;
        if (!CanRead) return IoStatus.WouldBlock;
        Loop.Assert();
        return AfterRead(ReadCore(buffer, out count), count, buffer.Length);
    }

    /// <summary>Most pieces that <see cref="ReadWithGaps"/> fills at a time: an area may hold no more.</summary>
    public const int MostPieces = 8;

    /// <summary>
    /// Reads into <paramref name="area"/> leaving <paramref name="gap"/> bytes free in front of every
    /// <paramref name="stride"/> payload bytes, so that record headers can be written in place:
    /// gap, stride bytes, gap, stride bytes, … <paramref name="count"/> counts payload only.
    /// </summary>
    public IoStatus ReadWithGaps(Span<byte> area, int gap, int stride, out int count)
    {
        count = 0;
        if (!CanRead) return IoStatus.WouldBlock;
        Loop.Assert();
        var room = RoomWithGaps(area.Length, gap, stride);
        return AfterRead(ReadWithGapsCore(area, gap, stride, out count), count, room);
    }

    /// <summary>
    /// Writes as much as there is room for. Ok with <paramref name="written"/>
    /// below the length means: wait for the next edge.
    /// </summary>
    public IoStatus Write(ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        if (!CanWrite) return IoStatus.WouldBlock;
        Loop.Assert();
        return AfterWrite(WriteCore(bytes, out written), written, bytes.Length);
    }

    /// <summary>Whether it can write two pieces at once.</summary>
    public virtual bool WritesPieces => false;

    /// <summary>The same for two pieces, where <see cref="WritesPieces"/>: a short header, and what it announces.</summary>
    public IoStatus Write(ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        if (!CanWrite) return IoStatus.WouldBlock;
        Loop.Assert();
        return AfterWrite(WriteCore(head, bytes, out written), written, head.Length + bytes.Length);
    }

    /// <summary>Sends FIN after what was written; reading goes on.</summary>
    public void ShutdownWrite()
    {
        Loop.Assert();
        if (!IsClosed) ShutdownWriteCore();
    }

    /// <summary>Arms the one deadline of this channel, replacing an earlier one.</summary>
    /// <param name="dueMs">On the clock of <see cref="EventLoop.NowMs"/>.</param>
    public void SetDeadline(long dueMs)
    {
        Loop.Assert();
        // the slot of a closed channel may have a new tenant
        if (!IsClosed) Loop.Deadlines.Set(Slot, dueMs);
    }

    /// <summary>Disarms it.</summary>
    public void ClearDeadline()
    {
        Loop.Assert();
        if (!IsClosed) Loop.Deadlines.Clear(Slot);
    }

    /// <summary>Orderly close: FIN. Its slot lives on until the batch of events at hand is done.</summary>
    public void Close() => CloseOnce(abort: false);

    /// <summary>RST: what is queued on either side is thrown away.</summary>
    public void Abort() => CloseOnce(abort: true);

    /// <summary>Its owner stays, and it will be silent for long: whatever it can do without is given back.</summary>
    public virtual void Slim()
    {
    }

    /// <summary>Whether its engine lets connections change loops.</summary>
    public virtual bool CanChangeLoops => false;

    /// <summary>
    /// Takes the connection out of its loop, for another one. This channel is closed then; the connection is as it was.
    /// </summary>
    /// <returns>Null where it is closed already, or the engine cannot.</returns>
    public DetachedChannel? Detach()
    {
        Loop.Assert();
        if (IsClosed || DetachCore() is not { } detached) return null;
        MarkClosed();
        Loop.Slots.Retire(Slot);
        return detached;
    }

    /// <summary>How a connect ended; <see cref="SocketError.Success"/> if it is through.</summary>
    public abstract SocketError ConnectResult();

    /// <summary>
    /// The peer's address, asked of the system when wanted: idle sessions keep no copy. Null when the connection is gone.
    /// </summary>
    public abstract IPEndPoint? RemoteAddress();

    /// <summary>The bytes of the peer's address in network order, 4 or 16; none when the connection is gone.</summary>
    /// <param name="target">Room for 16.</param>
    /// <returns>How many there are.</returns>
    public virtual int WriteRemoteAddress(Span<byte> target) =>
        RemoteAddress() is { } remote && remote.Address.TryWriteBytes(target, out var length) ? length : 0;

    /// <summary>What counts as the peer's address; unknown when the connection is gone.</summary>
    public virtual ClientNetwork RemoteNetwork() => RemoteAddress() is { } remote ? ClientNetwork.Of(remote.Address) : default;

    /// <summary>Our own address of this connection, as the kernel sees it. Null when the connection is gone.</summary>
    public abstract IPEndPoint? LocalAddress();

    /// <summary>
    /// Bytes written that the peer's kernel has not acknowledged.
    /// After FIN came, these did not reach who sent it: its FIN acknowledged the rest.
    /// </summary>
    /// <returns>-1 where the system does not tell.</returns>
    public virtual long UnacknowledgedBytes() => -1;

    /// <summary>
    /// No Nagle from now on, which pays off only on a connection
    /// that writes a second time: a first write is never delayed.
    /// </summary>
    public void Settle()
    {
        Loop.Assert();
        if (IsSettled || IsClosed) return;
        _traits |= Traits.Settled;
        SettleCore();
    }

    /// <summary>
    /// Lets the system notice that the peer vanished: for connections that we made and that live on.
    /// Never for a client's, whose server would not ask after it.
    /// </summary>
    public void KeepAlive()
    {
        Loop.Assert();
        if ((_traits & (Traits.KeptAlive | Traits.Closed)) != 0) return;
        _traits |= Traits.KeptAlive;
        KeepAliveCore();
    }

    /// <summary>
    /// Closes a connection that we made and that nothing more is expected of. Where everything written
    /// has arrived that is RST, because after our FIN the local port would stay in TIME_WAIT for a minute,
    /// and there are some 28 000 of them for each address of a peer. A peer that finished first keeps that state itself.
    /// </summary>
    public void Discard() => CloseOnce(abort: !HungUp && !IsClosed && UnacknowledgedBytes() == 0);

    /// <summary>Engines call this with what an event said, then the owner hears of it.</summary>
    internal void Raise(bool readable, bool writable, bool hungUp, bool failed)
    {
        if (IsClosed) return;
        if (readable | hungUp | failed) _traits |= Traits.Readable;
        if (writable | failed) _traits |= Traits.Writable;
        if (hungUp | failed) _traits |= Traits.HungUp;
        if (failed) _traits |= Traits.Failed;
        try
        {
            Owner.OnReady(this);
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            Owner.OnFault(error);
        }
    }

    /// <summary>The wheel calls this.</summary>
    internal void RaiseDeadline()
    {
        if (IsClosed) return;
        try
        {
            Owner.OnDeadline(this);
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            Owner.OnFault(error);
        }
    }

    /// <summary>The proxy stops.</summary>
    internal void RaiseShutdown()
    {
        if (IsClosed) return;
        try
        {
            Owner.OnShutdown(this);
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            Owner.OnFault(error);
        }
    }

    /// <summary>Payload bytes that fit into an area with gaps.</summary>
    internal static int RoomWithGaps(int area, int gap, int stride)
    {
        var whole = area / (gap + stride);
        return (whole * stride) + Math.Max(0, area - (whole * (gap + stride)) - gap);
    }

    /// <summary>A connected channel has room for a first write before any event said so.</summary>
    protected void AssumeWritable() => _traits |= Traits.Writable;

    /// <summary>For engines that learn in another way than by a short write that there is no room.</summary>
    protected void NoRoomToWrite() => _traits &= ~Traits.Writable;

    protected abstract IoStatus ReadCore(Span<byte> buffer, out int count);

    protected abstract IoStatus ReadWithGapsCore(Span<byte> area, int gap, int stride, out int count);

    protected abstract IoStatus WriteCore(ReadOnlySpan<byte> bytes, out int written);

    /// <summary>For those with <see cref="WritesPieces"/>.</summary>
    protected virtual IoStatus WriteCore(ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes, out int written) =>
        throw new NotSupportedException();

    protected abstract void ShutdownWriteCore();

    /// <summary>For engines that set this option at once, there is nothing left to do.</summary>
    protected virtual void SettleCore()
    {
    }

    protected virtual void KeepAliveCore()
    {
    }

    /// <summary>
    /// From now on a short read does not say that there is no more: the peer uses urgent data, at whose mark a read ends early, or its
    /// end was met behind the bytes, and no event tells of that.
    /// </summary>
    internal void DistrustShortReads() => _traits |= Traits.ShortReads;

    protected abstract void CloseCore(bool abort);

    /// <summary>For engines whose sockets can change loops.</summary>
    protected virtual DetachedChannel? DetachCore() => null;

    // A hang-up is an edge that comes once: readable stays set until the read that returns it.
    private IoStatus AfterRead(IoStatus status, int count, int room)
    {
        if (status == IoStatus.Reset) _traits |= Traits.Failed | Traits.HungUp;
        if (status != IoStatus.Ok || (count < room && (_traits & (Traits.HungUp | Traits.ShortReads)) == 0))
            _traits &= ~Traits.Readable;
        return status;
    }

    private IoStatus AfterWrite(IoStatus status, int written, int length)
    {
        if (written < length) _traits &= ~Traits.Writable;
        if (status == IoStatus.Reset) _traits |= Traits.Failed | Traits.HungUp;
        return status;
    }

    private void CloseOnce(bool abort)
    {
        Loop.Assert();
        if (IsClosed) return;
        MarkClosed();
        CloseCore(abort);
        Loop.Slots.Retire(Slot);
    }

    private void MarkClosed()
    {
        _traits = (_traits | Traits.Closed) & ~(Traits.Readable | Traits.Writable);
        Loop.Deadlines.Clear(Slot);
    }
}
