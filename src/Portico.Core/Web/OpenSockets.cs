namespace Portico.Core.Web;

/// <summary>How many WebSockets of a listener are served by loops. From any thread.</summary>
internal sealed class OpenSockets
{
    private int _count;

    /// <summary>Those that are open.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>One more.</summary>
    public void Enter() => Interlocked.Increment(ref _count);

    /// <summary>One less.</summary>
    public void Leave() => Interlocked.Decrement(ref _count);
}
