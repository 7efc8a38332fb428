namespace Portico.Core.Net;

/// <summary>
/// One direction of a relay: a source, a sink, what the sink had no room for, and how far its peer has got.
/// While anything is pending the source is not read. What an end or a reset means is the relay's affair.
/// </summary>
internal struct Pipe(Channel source, Channel sink)
{
    private Pending _pending;
    private PeerProgress _progress;

    /// <summary>Where the bytes come from.</summary>
    public readonly Channel Source => source;

    /// <summary>Where they go.</summary>
    public readonly Channel Sink => sink;

    /// <summary>The source sends no more.</summary>
    public bool HasEnded { get; set; }

    /// <summary>Something waits for room.</summary>
    public readonly bool IsPending => !_pending.IsEmpty;

    /// <summary>Memory rented for it.</summary>
    public readonly int HeldBytes => _pending.Capacity;

    /// <summary>Bytes were written whose arrival has not been looked at.</summary>
    public readonly bool IsWatched => _progress.IsWatched;

    /// <summary>A read of the source is worth trying, and there is room for what it brings.</summary>
    public readonly bool CanRead => source.CanRead && _pending.IsEmpty && !HasEnded;

    /// <summary>The same, and the sink's peer has not its share of memory yet while that is tight.</summary>
    public readonly bool MayRead => CanRead && sink.Loop.Memory.HasRoom(sink);

    /// <summary>Room for first bytes that the sink gets before all others.</summary>
    public Span<byte> Reserve(BufferPool buffers, int length) => _pending.Reserve(buffers, length);

    /// <summary>Writes, and keeps what there is no room for.</summary>
    /// <param name="bytes">For the sink; nothing may be pending.</param>
    /// <param name="written">What its kernel has taken.</param>
    /// <returns>Reset when the sink is gone, else Ok.</returns>
    public IoStatus Send(ReadOnlySpan<byte> bytes, out int written)
    {
        var status = sink.Write(bytes, out written);
        if (status == IoStatus.Reset) return status;
        _progress.Wrote(written);
        if (written < bytes.Length)
            bytes[written..].CopyTo(_pending.Reserve(sink.Loop.Buffers, bytes.Length - written));
        return IoStatus.Ok;
    }

    /// <summary>Writes what is pending, as far as there is room.</summary>
    public IoStatus Flush(out int written)
    {
        var status = _pending.Flush(sink, sink.Loop.Buffers, out written);
        _progress.Wrote(written);
        return status == IoStatus.Reset ? status : IoStatus.Ok;
    }

    /// <summary>Gives the buffer back, whatever it holds.</summary>
    public void Drop() => _pending.Drop(sink.Loop.Buffers);

    /// <summary>Something is on its way from now on.</summary>
    public void Watch(long nowMs) => _progress.Watch(nowMs);

    /// <summary>Looks how far the sink's peer has got.</summary>
    /// <returns>How long, in ms, it has taken nothing of what is under way; 0 when nothing is.</returns>
    public long Look(long nowMs) => _progress.Look(sink, IsPending, nowMs);
}
