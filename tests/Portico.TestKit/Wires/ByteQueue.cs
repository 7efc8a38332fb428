namespace Portico.TestKit.Wires;

/// <summary>Bytes that were read and not yet understood.</summary>
internal sealed class ByteQueue
{
    private byte[] _bytes = new byte[65536];
    private int _start;
    private int _end;

    internal int Length => _end - _start;

    internal Span<byte> Content => _bytes.AsSpan(_start, Length);

    internal void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Space(bytes.Length).Span);
        Commit(bytes.Length);
    }

    /// <summary>Room for at least <paramref name="count"/> bytes behind the content.</summary>
    internal Memory<byte> Space(int count)
    {
        if (_bytes.Length - _end < count)
        {
            var target = _bytes.Length - Length < count ? new byte[Math.Max(_bytes.Length * 2, Length + count)] : _bytes;
            _bytes.AsSpan(_start, Length).CopyTo(target);
            (_bytes, _start, _end) = (target, 0, Length);
        }
        return _bytes.AsMemory(_end);
    }

    internal void Commit(int count) => _end += count;

    internal void Consume(int count)
    {
        _start += count;
        if (_start == _end)
            _start = _end = 0;
    }
}
