namespace Portico.Core.Users;

/// <summary>
/// What is known of one user of one listener since the start: it outlives a change of the user's secrets. Shared by all loops, which
/// touch it when a session begins to relay and when it ends, never for a byte.
/// </summary>
/// <param name="name">Of the user.</param>
internal sealed class UserRecord(string name)
{
    private int _connections;
    private long _received;
    private long _sent;
    private long _lastSeen;
    private int _ever;
    private int _lately;

    public string Name => name;

    /// <summary>Sessions that relay now.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Bytes from the clients of sessions that have ended.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>Bytes to them.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>When a session last began or ended, Unix seconds; 0 = none did since the start.</summary>
    public long LastSeen => Interlocked.Read(ref _lastSeen);

    /// <summary>A client of this user has a way to Telegram. True for the first one since the start.</summary>
    public bool Began(long unixSeconds)
    {
        Interlocked.Increment(ref _connections);
        Volatile.Write(ref _lastSeen, unixSeconds);
        // Looked at before it is written: nearly always it is there, and the word stays in every core's cache.
        if (Volatile.Read(ref _lately) == 0) Volatile.Write(ref _lately, 1);
        return Volatile.Read(ref _ever) == 0 && Interlocked.Exchange(ref _ever, 1) == 0;
    }

    /// <summary>A session that <see cref="Began"/> has ended.</summary>
    public void Ended(long unixSeconds, long received, long sent)
    {
        Interlocked.Decrement(ref _connections);
        Interlocked.Add(ref _received, received);
        Interlocked.Add(ref _sent, sent);
        Volatile.Write(ref _lastSeen, unixSeconds);
    }

    /// <summary>Whether a client came since the last call.</summary>
    public bool TakeLately() => Volatile.Read(ref _lately) != 0 && Interlocked.Exchange(ref _lately, 0) != 0;
}
