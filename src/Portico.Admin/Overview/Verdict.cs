using System.Collections.Immutable;
using Portico.Admin.Json;
using Portico.Core.Control;

namespace Portico.Admin.Overview;

/// <summary>
/// "Is it me, or is it blocked?" in one word: from what the last minutes brought, as docs/operations.md has it for people.
/// </summary>
internal static class Verdict
{
    // So many minutes are looked at, and so many connections say something.
    private const int Minutes = 15, Telling = 20, StartingSeconds = 120;

    /// <summary>ok, starting, draining, memory, descriptors, dc, cover, blocked or quiet.</summary>
    public static string Of(ProxyStatus status, ImmutableArray<MinuteEntry> minutes)
    {
        if (status.State == "draining") return "draining";
        if (status.NotReady.Contains("no_dc")) return "dc";
        if (status.NotReady.FirstOrDefault() is { } reason) return reason;
        var late = minutes.TakeLast(Minutes).ToList();
        var (clients, early) = (late.Sum(it => it.Connects), late.Sum(it => it.EarlyEnds));
        // They come, stop at the hello or before, and nobody gets through: that is what a block on the way looks like.
        if (clients == 0 && early >= Telling) return "blocked";
        if (!status.Cover.Reachable) return "cover";
        if (clients > 0 || status.Listeners.Any(it => it.Relaying > 0)) return "ok";
        return status.UptimeSeconds < StartingSeconds ? "starting" : "quiet";
    }
}
