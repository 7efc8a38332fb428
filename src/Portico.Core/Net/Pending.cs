namespace Portico.Core.Net;

/// <summary>
/// Output that a channel had no room for: one rented buffer, written on when
/// the channel says so. While it holds anything its source is not read.
/// </summary>
internal struct Pending
{
    private byte[]? _buffer;
    private int _start;
    private int _end;

    public readonly bool IsEmpty => _buffer is null;

    /// <summary>Bytes rented for it.</summary>
    public readonly int Capacity => _buffer?.Length ?? 0;

    /// <summary>Rents room for exactly <paramref name="length"/> bytes and returns it for the caller to fill. Only while empty.</summary>
    public Span<byte> Reserve(BufferPool buffers, int length)
    {
        if (_buffer is not null)
            throw new InvalidOperationException("output is pending already: its source should not have been read");
        _buffer = buffers.Rent(length);
        _start = 0;
        _end = length;
        return _buffer.AsSpan(0, length);
    }

    /// <summary>Writes what the channel takes; gives the buffer back when all is gone.</summary>
    public IoStatus Flush(Channel channel, BufferPool buffers, out int written)
    {
        var status = channel.Write(_buffer.AsSpan(_start, _end - _start), out written);
        _start += written;
        if (_start == _end) Drop(buffers);
        return status;
    }

    /// <summary>Gives the buffer back, whatever it holds.</summary>
    public void Drop(BufferPool buffers)
    {
        if (_buffer is not null) buffers.Return(_buffer);
        _buffer = null;
    }
}
