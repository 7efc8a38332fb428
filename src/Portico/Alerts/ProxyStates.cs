using System.Text.Json.Nodes;
using Portico.Admin.Overview;
using Portico.Core.Control;

namespace Portico.Alerts;

/// <summary>Which of the states there are, read from what the proxy tells of itself.</summary>
/// <param name="control">The proxy.</param>
/// <param name="minutes">What the last minutes brought.</param>
internal sealed class ProxyStates(ProxyControl control, TrafficMinutes minutes)
{
    // The clock of one client tells nothing of ours, and it comes again and again.
    private const int TellingClients = 5;

    private static readonly TimeSpan ClockMemory = TimeSpan.FromMinutes(2);

    // What keeps the learner from the site at all; other problems are matters of what the site speaks.
    private static readonly string[] Unreached = ["unknown_host", "unreachable", "timeout", "closed"];

    private bool _isBlocked;

    /// <summary>Puts all of them on the board.</summary>
    /// <param name="board">Where.</param>
    /// <param name="now">The time.</param>
    public void Look(AlertBoard board, DateTimeOffset now)
    {
        var status = control.Status("");
        if (status.State == "draining") return; // it ends, or another process looks by now
        board.Put(AlertKinds.DcDown, Dcs(status));
        board.Put(AlertKinds.CoverDown, Cover(status));
        board.Put(AlertKinds.NotReady, Readiness(status));
        board.Put(AlertKinds.ClockWrong, Clock(now));
        board.Put(AlertKinds.BlockedSuspected, Block(status));
    }

    private static AlertState? Dcs(ProxyStatus status)
    {
        int[] down = [.. status.Dcs.Where(dc => !dc.Reachable).Select(dc => dc.Dc)];
        if (down.Length == 0) return null;
        var names = string.Join(", ", down);
        return new AlertState(
            $"Telegram's data centre {names} cannot be reached from this machine: look with `portico doctor` whether its network, a "
                + "firewall or Telegram is at fault.",
            names, new JsonObject { ["dcs"] = new JsonArray([.. down.Select(dc => (JsonNode)dc)]) });
    }

    private static AlertState? Cover(ProxyStatus status)
    {
        var problems = status.Cover.Flights.Select(flight => flight.Problem).OfType<string>().Where(Unreached.Contains).Distinct()
            .Order(StringComparer.Ordinal).ToList();
        if (status.Cover.Mode == "off" || (status.Cover.Reachable && problems.Count == 0))
            return null;
        return new AlertState(
            "The cover site cannot be reached, so whoever tests this proxy sees that nothing is behind it: start that site, or name "
                + "another one as `cover.target`.",
            "down", new JsonObject
            {
                ["mode"] = status.Cover.Mode,
                ["problems"] = new JsonArray([.. problems.Select(problem => (JsonNode)problem)]),
            });
    }

    private static AlertState? Readiness(ProxyStatus status)
    {
        if (status.NotReady.IsEmpty) return null;
        var reasons = string.Join(", ", status.NotReady);
        return new AlertState(
            $"The proxy is not ready for new clients ({reasons}): `portico status` and `portico doctor` say what is short or out of reach.",
            reasons, new JsonObject { ["reasons"] = new JsonArray([.. status.NotReady.Select(reason => (JsonNode)reason)]) });
    }

    private AlertState? Clock(DateTimeOffset now)
    {
        if (control.Clocks is not { } report || now - report.At > ClockMemory || report.Clients < TellingClients)
            return null;
        var direction = report.Seconds < 0 ? "behind" : "ahead of";
        return new AlertState(
            FormattableString.Invariant($"{report.Clients} connections with a right secret were refused within a minute since their ")
                + FormattableString.Invariant($"clocks are {Math.Abs(report.Seconds)} s {direction} this machine's: ")
                + "compare its clock (`timedatectl`) and have it set from the network.",
            "wrong", new JsonObject { ["clients"] = report.Clients, ["seconds"] = report.Seconds });
    }

    // Too few clients are no sign that a block is over, and what is wrong with the proxy itself is told by that.
    private AlertState? Block(ProxyStatus status)
    {
        var all = minutes.Snapshot();
        if (Verdict.Of(status, all) == Verdict.Blocked) _isBlocked = true;
        else if (Verdict.GetsThrough(all) == true) _isBlocked = false;
        if (!_isBlocked) return null;
        var early = all.TakeLast(Verdict.Minutes).Sum(it => it.EarlyEnds);
        return new AlertState(
            "Connections come and none gets as far as Telegram, as if something on their way stopped them: try a link from another "
                + "network, and another address, port or domain if it works from there only.",
            "blocked", new JsonObject { ["earlyEnds"] = early, ["minutes"] = Verdict.Minutes });
    }
}
