namespace Portico.TestKit.Memory;

/// <summary>
/// One direction of a connection: a bounded ring of bytes that were sent and not yet read, of which the front
/// part has arrived. FIN travels behind them. Allocates only while it grows towards its capacity.
/// </summary>
internal sealed class MemoryPipe
{
    private byte[] _ring = new byte[1024];
    private int _start;
    private bool _finSent;

    /// <summary>Most bytes under way. May be lowered below what is in there: then nothing fits until enough was read.</summary>
    public int Capacity { get; set; } = 64 * 1024;

    /// <summary>Bytes sent and not read.</summary>
    public int Length { get; private set; }

    /// <summary>Of them, those the receiver sees.</summary>
    public int Arrived { get; private set; }

    /// <summary>The receiver sees FIN, perhaps behind bytes.</summary>
    public bool FinArrived { get; private set; }

    public int Free => Math.Max(0, Capacity - Length);

    /// <summary>Something was sent that the receiver does not see yet.</summary>
    public bool IsUnderWay => Arrived < Length || (_finSent && !FinArrived);

    /// <summary>Takes what there is room for.</summary>
    public int Write(ReadOnlySpan<byte> bytes)
    {
        var count = Math.Min(bytes.Length, Free);
        Grow(Length + count);
        var end = (_start + Length) % _ring.Length;
        var first = Math.Min(count, _ring.Length - end);
        bytes[..first].CopyTo(_ring.AsSpan(end));
        bytes[first..count].CopyTo(_ring);
        Length += count;
        return count;
    }

    /// <summary>Takes arrived bytes out.</summary>
    public int Read(Span<byte> into)
    {
        var count = Math.Min(into.Length, Arrived);
        var first = Math.Min(count, _ring.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(into);
        _ring.AsSpan(0, count - first).CopyTo(into[first..]);
        _start = (_start + count) % _ring.Length;
        Length -= count;
        Arrived -= count;
        return count;
    }

    /// <summary>No more bytes will be written.</summary>
    public void Finish() => _finSent = true;

    /// <summary>
    /// At most <paramref name="most"/> further bytes arrive, and FIN when
    /// nothing stands before it. True if the receiver sees more than before.
    /// </summary>
    public bool Arrive(int most)
    {
        var count = Math.Min(most, Length - Arrived);
        Arrived += count;
        var fin = _finSent && !FinArrived && Arrived == Length && count < most;
        FinArrived |= fin;
        return count > 0 || fin;
    }

    /// <summary>RST overtook what had not arrived.</summary>
    public void LoseWhatIsUnderWay() => Length = Arrived;

    private void Grow(int needed)
    {
        if (needed <= _ring.Length) return;
        var larger = new byte[Math.Max(needed, Math.Min(_ring.Length * 2, Math.Max(Capacity, needed)))];
        var first = Math.Min(Length, _ring.Length - _start);
        _ring.AsSpan(_start, first).CopyTo(larger);
        _ring.AsSpan(0, Length - first).CopyTo(larger.AsSpan(first));
        (_ring, _start) = (larger, 0);
    }
}
