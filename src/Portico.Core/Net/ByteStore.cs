namespace Portico.Core.Net;

/// <summary>
/// Bytes in one piece that come in at the end and go out at the front: a half-read packet, a link's frames. Rented while it holds any, so
/// that who is idle holds nothing. The bound is its user's: <see cref="Room"/> grows to whatever is asked for.
/// </summary>
internal struct ByteStore
{
    private byte[]? _bytes;
    private int _start;
    private int _end;

    public readonly int Length => _end - _start;

    public readonly bool IsEmpty => _end == _start;

    /// <summary>Bytes rented for it.</summary>
    public readonly int Capacity => _bytes?.Length ?? 0;

    /// <summary>What it holds. Valid until the next call of <see cref="Room"/> or <see cref="Take"/>.</summary>
    public readonly Span<byte> Bytes => _bytes.AsSpan(_start, _end - _start);

    /// <inheritdoc cref="Bytes"/>
    public readonly ReadOnlyMemory<byte> Memory => _bytes.AsMemory(_start, _end - _start);

    /// <summary>
    /// Free bytes behind the content, at least <paramref name="least"/>:
    /// moves the content to the front or to a larger buffer when there are fewer.
    /// </summary>
    public Span<byte> Room(BufferPool buffers, int least)
    {
        if (_bytes is null)
        {
            _bytes = buffers.RentAny(least);
            _start = _end = 0;
        }
        else if (_bytes.Length - _end < least)
        {
            MakeRoom(buffers, least);
        }

        return _bytes.AsSpan(_end);
    }

    /// <summary>The first <paramref name="count"/> bytes of the room were filled.</summary>
    public void Add(int count) => _end += count;

    /// <summary>Appends a copy.</summary>
    public void Append(BufferPool buffers, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(buffers, bytes.Length));
        Add(bytes.Length);
    }

    /// <summary>The first <paramref name="count"/> bytes are done with. Gives the buffer back when none is left.</summary>
    public void Take(BufferPool buffers, int count)
    {
        _start += count;
        if (_start == _end) Drop(buffers);
    }

    /// <summary>Gives the buffer back, whatever it holds.</summary>
    public void Drop(BufferPool buffers)
    {
        if (_bytes is not null) buffers.Return(_bytes);
        _bytes = null;
        _start = _end = 0;
    }

    private void MakeRoom(BufferPool buffers, int least)
    {
        var content = Bytes;
        if (content.Length + least <= _bytes!.Length)
        {
            content.CopyTo(_bytes);
        }
        else
        {
            // Beyond the sizes on offer by doubling, or many small frames would be copied once for each.
            var needed = content.Length + least;
            var larger = buffers.RentAny(needed <= BufferPool.LargestSize ? needed : Math.Max(needed, 2 * _bytes.Length));
            content.CopyTo(larger);
            buffers.Return(_bytes);
            _bytes = larger;
        }

        _end = content.Length;
        _start = 0;
    }
}
