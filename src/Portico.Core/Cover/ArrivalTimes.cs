using System.Runtime.CompilerServices;

namespace Portico.Core.Cover;

/// <summary>
/// In which pieces a client's first bytes came, and when: a server that makes up
/// its mind by the first piece ends a connection otherwise than one that finds all
/// of them in one read, so that the cover gets them as they came. Default: none.
/// </summary>
internal struct ArrivalTimes
{
    // Pieces behind the last place count as part of it. Nobody is undecided for longer than cover.decideMs, in which few fit.
    private const int Most = 8;

    private Ends _ends;
    private Times _times;
    private int _count;

    /// <summary>The bytes up to <paramref name="end"/> are here now; what came in the same turn of the loop is one piece.</summary>
    public void Note(int end, long nowMs)
    {
        if (_count == 0 || (_count < Most && _times[_count - 1] != nowMs)) _count++;
        if (_ends[_count - 1] == 0) _times[_count - 1] = nowMs;
        _ends[_count - 1] = end;
    }

    /// <summary>
    /// How many bytes are due. A piece that came before anything could be passed
    /// on is due as long after the first as it came; later ones follow at once.
    /// </summary>
    /// <param name="nowMs">The loop's clock.</param>
    /// <param name="sinceMs">When the first piece was passed on.</param>
    /// <param name="nextMs">When the next is due; <see cref="long.MaxValue"/> = none waits.</param>
    public readonly int DueEnd(long nowMs, long sinceMs, out long nextMs)
    {
        nextMs = long.MaxValue;
        var (end, due) = (0, sinceMs);
        for (var i = 0; i < _count; i++)
        {
            if (_times[i] < sinceMs) due = sinceMs + _times[i] - _times[0];
            if (due > nowMs)
            {
                nextMs = due;
                break;
            }

            end = _ends[i];
        }

        return end;
    }

    [InlineArray(Most)]
    private struct Ends
    {
        private int _first;
    }

    [InlineArray(Most)]
    private struct Times
    {
        private long _first;
    }
}
