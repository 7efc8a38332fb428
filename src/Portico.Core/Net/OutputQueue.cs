namespace Portico.Core.Net;

/// <summary>
/// Output for a reader that is slower than its source, where the source cannot be held up for one reader: a list of rented buffers that
/// knows where packets end. Its user bounds it.
/// </summary>
internal sealed class OutputQueue
{
    // Small enough for a client that lags by a few packets; each is given back as soon as it was written.
    private const int PieceLength = 16 * 1024;

    /// <summary>For its user: how long more than allowed has waited here.</summary>
    public TimeSum OverLimit;

    private readonly Queue<byte[]> _pieces = new();
    private readonly Queue<long> _packetEnds = new();
    private byte[] _last = [];
    private int _lastEnd;
    private int _firstStart;
    private long _appended;
    private long _written;

    /// <summary>Bytes waiting.</summary>
    public long Bytes => _appended - _written;

    /// <summary>Packets not written to their end.</summary>
    public int Packets => _packetEnds.Count;

    public bool IsEmpty => _appended == _written;

    /// <summary>Appends a copy of a part of a packet.</summary>
    public void Append(BufferPool buffers, ReadOnlySpan<byte> bytes)
    {
        _appended += bytes.Length;
        while (!bytes.IsEmpty)
        {
            if (_lastEnd == _last.Length)
            {
                _pieces.Enqueue(_last = buffers.Rent(PieceLength));
                _lastEnd = 0;
            }

            var part = Math.Min(bytes.Length, _last.Length - _lastEnd);
            bytes[..part].CopyTo(_last.AsSpan(_lastEnd));
            _lastEnd += part;
            bytes = bytes[part..];
        }
    }

    /// <summary>What was appended last ends a packet.</summary>
    public void EndPacket() => _packetEnds.Enqueue(_appended);

    /// <summary>Writes what the channel takes.</summary>
    /// <param name="channel">The slow reader.</param>
    /// <param name="buffers">Where the pieces came from.</param>
    /// <param name="most">No further piece is begun behind so many bytes.</param>
    /// <param name="written">Bytes taken.</param>
    /// <param name="packets">Packets whose last byte was among them.</param>
    /// <returns>Reset when the connection is gone, else Ok, also when nothing was taken.</returns>
    public IoStatus Flush(Channel channel, BufferPool buffers, int most, out int written, out int packets)
    {
        written = 0;
        var status = IoStatus.Ok;
        while (written < most && _pieces.TryPeek(out var piece))
        {
            var end = _pieces.Count == 1 ? _lastEnd : piece.Length;
            status = channel.Write(piece.AsSpan(_firstStart, end - _firstStart), out var count);
            written += count;
            _firstStart += count;
            if (_firstStart < end) break;
            buffers.Return(_pieces.Dequeue());
            _firstStart = 0;
        }

        if (_pieces.Count == 0) (_last, _lastEnd) = ([], 0);
        _written += written;
        for (packets = 0; _packetEnds.TryPeek(out var end) && end <= _written; packets++) _packetEnds.Dequeue();
        return status == IoStatus.Reset ? IoStatus.Reset : IoStatus.Ok;
    }

    /// <summary>Gives everything back; ready for the next user.</summary>
    public void Drop(BufferPool buffers)
    {
        while (_pieces.TryDequeue(out var piece)) buffers.Return(piece);
        _packetEnds.Clear();
        (_last, _lastEnd, _firstStart) = ([], 0, 0);
        _appended = _written = 0;
        OverLimit = default;
    }
}

/// <summary>Queues of one loop that are not in use: a client that lags now and then leaves no garbage.</summary>
internal sealed class OutputQueuePool
{
    private const int Kept = 16;

    private readonly Stack<OutputQueue> _free = new(Kept);

    public OutputQueue Rent() => _free.TryPop(out var queue) ? queue : new OutputQueue();

    /// <summary>Takes back a queue that was dropped.</summary>
    public void Return(OutputQueue queue)
    {
        if (_free.Count < Kept) _free.Push(queue);
    }
}
