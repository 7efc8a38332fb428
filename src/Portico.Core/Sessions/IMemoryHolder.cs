using Portico.Core.Diagnostics;

namespace Portico.Core.Sessions;

/// <summary>A session as memory sees it: what is held for it, and how much its loss would hurt. Owns its client's channel.</summary>
internal interface IMemoryHolder : ISessionHolder
{
    /// <summary>Who goes first.</summary>
    MemoryStanding Standing { get; }

    /// <summary>Memory rented for it. What the kernel keeps for its client comes on top.</summary>
    long HeldBytes { get; }

    /// <summary>On the loop's clock: since when a stranger has been silent, or a caller here.</summary>
    long SinceMs { get; }

    /// <summary>
    /// On the loop's clock: since when no byte came or went; <see cref="long.MaxValue"/> = something is under way for it, which has limits
    /// of its own.
    /// </summary>
    long QuietSinceMs { get; }

    /// <summary>How long, in milliseconds, its client has taken or sent nothing of what memory is held for; 0 = it gets on.</summary>
    long StuckMs(long nowMs);

    /// <summary>Ends it for want of memory.</summary>
    void LetGo(CloseReason reason);

    /// <summary><see cref="LetGo"/> threw.</summary>
    void OnFault(Exception error);
}

/// <summary>What a session is worth when memory is short.</summary>
internal enum MemoryStanding : byte
{
    /// <summary>Somebody at the cover.</summary>
    Stranger,

    /// <summary>Somebody who has not shown a secret yet.</summary>
    Caller,

    /// <summary>A client of ours.</summary>
    Client,
}

/// <summary>What is said of standings.</summary>
internal static class MemoryStandings
{
    /// <summary>The metric's label.</summary>
    public static string Tag(this MemoryStanding standing) => standing switch
    {
        MemoryStanding.Stranger => "stranger",
        MemoryStanding.Caller => "caller",
        MemoryStanding.Client => "client",
        _ => throw new System.Diagnostics.UnreachableException($"standing {standing} has no tag"),
    };
}
