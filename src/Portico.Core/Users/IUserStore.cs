namespace Portico.Core.Users;

/// <summary>
/// Where managed users, usage and history are kept over restarts. One caller at a time, never an event loop. A method that throws
/// <see cref="StoreException"/> has kept nothing of its call, and the same call may be made again.
/// </summary>
public interface IUserStore : IDisposable
{
    /// <summary>What was kept. Called once, first.</summary>
    StoredState Load();

    /// <summary>Keeps a change of the managed users, whole or not at all. The usage of removed users is forgotten.</summary>
    /// <param name="revision">Of the set after the change.</param>
    /// <param name="put">New, or in place of those of the same name.</param>
    /// <param name="removed">Names.</param>
    void SaveUsers(long revision, IReadOnlyCollection<StoredUser> put, IReadOnlyCollection<string> removed);

    /// <summary>Keeps counters. Absolute values: the same call made twice changes nothing.</summary>
    /// <param name="rows">Those that changed since the last call that succeeded.</param>
    /// <param name="now">The hour whose history grows by what the counters grew by.</param>
    void SaveUsage(IReadOnlyCollection<UsageRow> rows, DateTimeOffset now);

    /// <summary>Traffic by hours and days. From any thread, also beside a call that writes.</summary>
    UsageHistory History(UsageKey key);

    /// <summary>
    /// Bytes that a process counted after it had handed over, added to the counters kept; each is reported once.
    /// </summary>
    IReadOnlyCollection<UsageRow> TakeLate();

    /// <summary>
    /// For a process that has handed over, after <see cref="IDisposable.Dispose"/>: adds to what the owner keeps, who takes it with
    /// <see cref="TakeLate"/> or at its next start.
    /// </summary>
    /// <param name="deltas">What was counted since the last rows that this process kept.</param>
    void AddLate(IReadOnlyCollection<UsageRow> deltas);

    /// <summary>An orderly end, after the last <see cref="SaveUsage"/>: counters go on from here, in the same epoch.</summary>
    void MarkClean();
}

/// <summary>What a store cannot do now, in a sentence for the operator, without names or secrets of users.</summary>
public sealed class StoreException : Exception
{
    /// <summary>With no cause of its own.</summary>
    public StoreException(string message)
        : base(message)
    {
    }

    /// <summary>With what the system said.</summary>
    public StoreException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
