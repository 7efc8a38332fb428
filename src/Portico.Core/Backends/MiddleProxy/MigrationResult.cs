using System.Diagnostics;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>What became of a client whose link died.</summary>
internal enum MigrationResult : byte
{
    /// <summary>It is on another link.</summary>
    Ok,

    /// <summary>Something may have been under way: it must connect again.</summary>
    MidSend,

    /// <summary>There was no other link in time.</summary>
    Empty,

    /// <summary>Telegram's list does not name its data centre any more.</summary>
    NotFound,
}

/// <summary>What is said of moves.</summary>
internal static class MigrationResults
{
    /// <summary>The metric's label.</summary>
    public static string Tag(this MigrationResult result) => result switch
    {
        MigrationResult.Ok => "ok",
        MigrationResult.MidSend => "mid_send",
        MigrationResult.Empty => "empty",
        MigrationResult.NotFound => "not_found",
        _ => throw new UnreachableException($"result {result} has no tag"),
    };
}
