namespace Portico.Protocol.WebProxy;

/// <summary>
/// The last 4096 streams that were closed: frames of theirs may still be on the way and are dropped. Memory grows with the number of
/// streams that there were.
/// </summary>
internal sealed class ClosedStreams
{
    /// <summary>Both sides remember as many.</summary>
    public const int Capacity = 4096;

    private readonly HashSet<uint> _known = [];
    private readonly List<uint> _ring = [];

    // Where the oldest is once the ring is full; until then it is at 0.
    private int _oldest;

    public bool Contains(uint stream) => _known.Contains(stream);

    /// <summary>Remembers a stream.</summary>
    /// <returns>The one that is forgotten for it; 0, which is no stream's number, if there was room or it was known.</returns>
    public uint Add(uint stream)
    {
        if (!_known.Add(stream))
            return 0;
        if (_ring.Count < Capacity)
        {
            _ring.Add(stream);
            return 0;
        }

        var forgotten = _ring[_oldest];
        _ring[_oldest] = stream;
        _oldest = (_oldest + 1) % Capacity;
        _known.Remove(forgotten);
        return forgotten;
    }

    /// <summary>Takes the last addition back.</summary>
    /// <param name="stream">The stream that was added.</param>
    /// <param name="forgotten">What <see cref="Add"/> returned.</param>
    public void Undo(uint stream, uint forgotten)
    {
        _known.Remove(stream);
        if (forgotten == 0)
        {
            _ring.RemoveAt(_ring.Count - 1);
            return;
        }

        _oldest = (_oldest + Capacity - 1) % Capacity;
        _ring[_oldest] = forgotten;
        _known.Add(forgotten);
    }
}
