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
    public const int Minutes = 15;

    /// <summary>One of the words.</summary>
    public const string Blocked = "blocked";

    private const int Telling = 20, StartingSeconds = 120;

    /// <summary>
    /// Whether clients of the last minutes got through. False: enough came, stopped at the hello or before, and nobody did, which is what
    /// a block on the way looks like. Null: too few came to say.
    /// </summary>
    public static bool? GetsThrough(ImmutableArray<MinuteEntry> minutes)
    {
        var late = minutes.TakeLast(Minutes).ToList();
        if (late.Any(it => it.Connects > 0)) return true;
        return late.Sum(it => it.EarlyEnds) >= Telling ? false : null;
    }

    /// <summary>ok, starting, draining, memory, descriptors, dc, cover, blocked or quiet.</summary>
    public static string Of(ProxyStatus status, ImmutableArray<MinuteEntry> minutes)
    {
        if (status.State == "draining") return "draining";
        if (status.NotReady.Contains("no_dc")) return "dc";
        if (status.NotReady.FirstOrDefault() is { } reason) return reason;
        var getsThrough = GetsThrough(minutes);
        if (getsThrough == false) return Blocked;
        if (!status.Cover.Reachable) return "cover";
        if (getsThrough == true || status.Listeners.Any(it => it.Relaying > 0)) return "ok";
        return status.UptimeSeconds < StartingSeconds ? "starting" : "quiet";
    }
}
