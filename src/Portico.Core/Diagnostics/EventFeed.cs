using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Portico.Core.Diagnostics;

/// <summary>
/// Tells readers what happens. Loops publish and never wait: a reader that is slow loses events, and is told how many. While there is no
/// reader, whoever would publish looks at one field and makes nothing.
/// </summary>
/// <param name="time">When things happen.</param>
public sealed class EventFeed(TimeProvider time)
{
    /// <summary>Readers at a time.</summary>
    public const int MostReaders = 16;

    private readonly Lock _gate = new();
    private ImmutableArray<EventReader> _readers = [];
    private volatile bool _hasReaders;

    /// <summary>Whether an event is worth making.</summary>
    internal bool HasReaders => _hasReaders;

    /// <summary>The time of an event that happens now.</summary>
    internal DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Begins to read: from now on events wait for this reader until it is disposed of.</summary>
    /// <param name="reader">The reader.</param>
    /// <returns>False if there are <see cref="MostReaders"/> already.</returns>
    public bool TryRead([NotNullWhen(true)] out EventReader? reader)
    {
        lock (_gate)
        {
            reader = _readers.Length < MostReaders ? new EventReader(this) : null;
            if (reader is null) return false;
            _readers = _readers.Add(reader);
            return _hasReaders = true;
        }
    }

    /// <summary>Gives it to every reader. From any thread.</summary>
    internal void Publish(ProxyEvent happened)
    {
        foreach (var reader in Readers()) reader.Offer(happened);
    }

    /// <summary>Called by the reader.</summary>
    internal void Leave(EventReader reader)
    {
        lock (_gate)
        {
            _readers = _readers.Remove(reader);
            _hasReaders = !_readers.IsEmpty;
        }
    }

    private ImmutableArray<EventReader> Readers()
    {
        lock (_gate) return _readers;
    }
}

/// <summary>One reader of an <see cref="EventFeed"/>. To be disposed of.</summary>
public sealed class EventReader : IDisposable
{
    /// <summary>Events that wait for a reader; of more, the newest are lost.</summary>
    public const int MostWaiting = 1024;

    private readonly Channel<ProxyEvent> _waiting = Channel.CreateBounded<ProxyEvent>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true, AllowSynchronousContinuations = false });

    private readonly EventFeed _feed;
    private long _lost;

    internal EventReader(EventFeed feed) => _feed = feed;

    /// <summary>Waits for events.</summary>
    /// <param name="cancel">Ends the wait with an <see cref="OperationCanceledException"/>.</param>
    public ValueTask<bool> WaitAsync(CancellationToken cancel) => _waiting.Reader.WaitToReadAsync(cancel);

    /// <summary>The next event, if one is there.</summary>
    public bool TryTake([NotNullWhen(true)] out ProxyEvent? happened) => _waiting.Reader.TryRead(out happened);

    /// <summary>How many were lost since the last call.</summary>
    public long TakeLost() => Interlocked.Exchange(ref _lost, 0);

    /// <summary>No more events for this reader.</summary>
    public void Dispose() => _feed.Leave(this);

    internal void Offer(ProxyEvent happened)
    {
        if (!_waiting.Writer.TryWrite(happened)) Interlocked.Increment(ref _lost);
    }
}
