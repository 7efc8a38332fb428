namespace Portico.Core.Cover.Learning;

/// <summary>A time limit within another one: tells whether it was this one that ended something.</summary>
internal sealed class Limit : IDisposable
{
    private readonly CancellationTokenSource _clock;
    private readonly CancellationTokenSource _either;
    private readonly CancellationToken _outer;

    public Limit(TimeSpan time, TimeProvider clock, CancellationToken outer)
    {
        _clock = new CancellationTokenSource(time, clock);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_clock.Token, outer);
        _outer = outer;
    }

    public CancellationToken Token => _either.Token;

    /// <summary>The time is over, and nothing else was in the way.</summary>
    public bool IsReached => _clock.IsCancellationRequested && !_outer.IsCancellationRequested;

    public void Dispose()
    {
        _either.Dispose();
        _clock.Dispose();
    }
}
