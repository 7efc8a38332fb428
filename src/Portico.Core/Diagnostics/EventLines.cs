namespace Portico.Core.Diagnostics;

/// <summary>
/// The lines of one event: a line at once, then at most one a second. Of those that come in between the last is written when the second is
/// over, with the number of the others, so that nothing is ever left out without a word. From any thread.
/// </summary>
/// <param name="atOnce">So many may be written at once, of an event whose lines each name something else.</param>
/// <param name="time">The clock.</param>
internal sealed class EventLines(int atOnce, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly long _start = time.GetTimestamp();
    private readonly TimeSpan _most = (atOnce - 1) * Period;
    private TimeSpan _free; // when all of them may be written at once again
    private Action<long>? _last;
    private long _leftOut;
    private ITimer? _timer;

    private TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>Writes a line, now or when its time has come, unless another one comes before that.</summary>
    /// <param name="line">Gets how many like it were left out.</param>
    public void Write(Action<long> line)
    {
        long more;
        lock (_gate)
        {
            var wait = _free - _most - Now;
            if (wait > TimeSpan.Zero)
            {
                _last = line;
                if (_leftOut++ > 0) return;
                _timer ??= time.CreateTimer(_ => WriteLast(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _timer.Change(wait, Timeout.InfiniteTimeSpan);
                return;
            }

            (more, _leftOut, _last) = (_leftOut, 0, null); // the timer is late
            Take();
        }

        line(more);
    }

    /// <summary>What waits is written now.</summary>
    public void Dispose()
    {
        lock (_gate) _timer?.Dispose();
        WriteLast();
    }

    private void WriteLast()
    {
        Action<long>? line;
        long more;
        lock (_gate)
        {
            if (_last is null) return;
            (line, more, _leftOut, _last) = (_last, _leftOut - 1, 0, null);
            Take();
        }

        try
        {
            line(more);
        }
        catch (Exception error) when (error is AggregateException or ObjectDisposedException or InvalidOperationException)
        {
            // The log is gone, and a timer's thread has nobody to tell.
        }
    }

    private void Take() => _free = (_free > Now ? _free : Now) + Period;
}
