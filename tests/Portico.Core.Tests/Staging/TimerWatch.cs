using System.Threading.Channels;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;

namespace Portico.Core.Tests.Staging;

/// <summary>A manual clock that tells which timers are made of it and how many are left.</summary>
internal sealed class TimerWatch(ManualTime clock) : TimeProvider
{
    private readonly Channel<TimeSpan> _made = Channel.CreateUnbounded<TimeSpan>();
    private int _open;

    /// <summary>Timers that nobody has disposed of.</summary>
    public int Open => Volatile.Read(ref _open);

    public override long TimestampFrequency => clock.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

    public override long GetTimestamp() => clock.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Interlocked.Increment(ref _open);
        var timer = new Watched(this, clock.CreateTimer(callback, state, dueTime, period));
        _made.Writer.TryWrite(dueTime);
        return timer;
    }

    public void Advance(TimeSpan by) => clock.Advance(by);

    /// <summary>Waits for a timer that is not the one of <paramref name="known"/> length.</summary>
    public async Task<TimeSpan> NextAsync(TimeSpan known)
    {
        using var patience = new CancellationTokenSource(Wire.Patience);
        while (true)
        {
            var due = await _made.Reader.ReadAsync(patience.Token);
            if (due != known) return due;
        }
    }

    private sealed class Watched(TimerWatch watch, ITimer timer) : ITimer
    {
        private int _isDisposed;

        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
                Interlocked.Decrement(ref watch._open);
            timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
