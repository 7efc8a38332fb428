using System.Collections.Immutable;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;

namespace Portico.Core.Control;

/// <summary>Reads counters and snapshots that every thread may read; asks no loop.</summary>
internal sealed class StatusReader(ControlParts parts)
{
    /// <summary>Everything.</summary>
    /// <param name="version">Of the program.</param>
    /// <param name="startedAt">When the proxy began.</param>
    /// <param name="notReady">Why it is not ready.</param>
    public ProxyStatus Read(string version, DateTimeOffset startedAt, ImmutableArray<string> notReady)
    {
        var settings = parts.Settings();
        var replays = parts.Replays.Figures;
        return new ProxyStatus
        {
            Version = version,
            StartedAt = startedAt,
            UptimeSeconds = Math.Max(0, (long)(parts.Time.GetUtcNow() - startedAt).TotalSeconds),
            State = parts.IsDraining() ? "draining" : "serving",
            NotReady = notReady,
            Mode = settings.Mode switch { BackendMode.Direct => "direct", BackendMode.Middle => "middle", _ => "auto" },
            Loops = parts.Loops.Count,
            Sessions = parts.Sessions.Value,
            Listeners = Listeners(),
            Dcs = Dcs(),
            MiddleProxies = settings.UsesMiddleProxies ? MiddleProxies() : null,
            Cover = Cover(settings.Cover),
            Memory = Memory(),
            Descriptors = new(ProcessLimits.OpenDescriptors(), DescriptorReserve.Limit() is < long.MaxValue and var limit ? limit : null),
            Replay = new(replays.Items, replays.Bytes, replays.DiskBytes, replays.Unsaved),
        };
    }

    /// <summary>Some data centre is told to be out of reach, and none that clients asked for is in reach.</summary>
    public bool ReachesNoDc()
    {
        var (direct, middle) = (parts.DcHealth.Unreachable.ToHashSet(), parts.MiddleHealth.Unreachable.ToHashSet());
        if (direct.Count + middle.Count == 0) return false;
        return !Sums().Any(dc => dc.Connections > 0 || !IsUnreachable(dc.Dc, direct, middle));
    }

    /// <summary>What is known of middle proxies.</summary>
    public MiddleProxyStatus MiddleProxies()
    {
        var config = parts.MiddleProxies.Current;
        return new(
            config.Source switch { ConfigSource.Embedded => "embedded", ConfigSource.Cached => "cached", _ => "fetched" },
            config.AsOf, [.. config.Dcs.Select(dc => (int)dc)], config.ExternalV4?.ToString(), config.ExternalV6?.ToString());
    }

    private ImmutableArray<ListenerStatus> Listeners()
    {
        var (loops, endpoints) = (parts.Steps(), parts.Endpoints());
        var all = ImmutableArray.CreateBuilder<ListenerStatus>();
        foreach (var listener in loops[0].Listeners)
        {
            // While a reload opens or closes listeners, the one list may be ahead of the other.
            var address = listener.Index < endpoints.Length ? endpoints[listener.Index].ToString() : "";
            var sums = loops.Select(loop => loop.Listeners[listener.Index].Counters).ToList();
            var (relaying, cover) = (sums.Sum(it => it.Relaying), sums.Sum(it => it.Cover));
            all.Add(new ListenerStatus(
                listener.Name, address, Math.Max(0, sums.Sum(it => it.Open) - relaying - cover), relaying, cover, listener.Limit.Most,
                listener.Users.Count, sums.Sum(it => it.Clients), sums.Sum(it => it.Strangers), sums.Sum(it => it.EarlyEnds),
                sums.Sum(it => it.ClientReceived), sums.Sum(it => it.ClientSent)));
        }

        return all.ToImmutable();
    }

    private ImmutableArray<DcStatus> Dcs()
    {
        var (direct, middle) = (parts.DcHealth.Unreachable.ToHashSet(), parts.MiddleHealth.Unreachable.ToHashSet());
        var known = Sums().Select(dc => new DcStatus(
            dc.Dc, !IsUnreachable(dc.Dc, direct, middle), dc.Ports, dc.Connections, dc.Clients, dc.Received, dc.Sent)).ToList();
        // Those that nobody has reached yet have no counters.
        var others = direct.Union(middle).Where(dc => known.All(it => it.Dc != dc)).Select(dc => new DcStatus(dc, false, 0, 0, 0, 0, 0));
        return [.. known.Concat(others).OrderBy(dc => Math.Abs(dc.Dc)).ThenByDescending(dc => dc.Dc)];
    }

    // A client's -2 may be served by what is known as 2.
    private static bool IsUnreachable(int dc, HashSet<int> direct, HashSet<int> middle) =>
        direct.Contains(dc) || middle.Contains(dc) || direct.Contains(Math.Abs(dc));

    private IEnumerable<DcCounters> Sums() => parts.Dcs().GroupBy(dc => dc.Dc).Select(group => new DcCounters(group.Key)
    {
        Received = group.Sum(dc => dc.Received),
        Sent = group.Sum(dc => dc.Sent),
        Connections = group.Sum(dc => dc.Connections),
        Clients = group.Sum(dc => dc.Clients),
        Ports = group.Sum(dc => dc.Ports),
    });

    private CoverStatus Cover(CoverSettings settings)
    {
        var cover = parts.Cover();
        var mode = settings.Mode switch { CoverMode.Off => "off", CoverMode.Fixed => "fixed", _ => "sni" };
        var flights = parts.Learner()?.Subjects.Select(subject => subject.Snapshot) ?? [];
        return new(
            mode, settings.Target?.ToString(), !cover.Health.IsUnreachable, cover.Budget.Count, cover.Budget.Most,
            [.. flights.Select(StatusOf)]);
    }

    private static FlightStatus StatusOf(FlightSnapshot flight) => new(
        flight.Domain, flight.Target, flight.LearnedAt, flight.Problem == FlightProblem.None ? null : SnakeCase(flight.Problem),
        [.. Enum.GetValues<FlightNotice>().Where(it => it != FlightNotice.None && flight.Notices.HasFlag(it)).Select(SnakeCase)],
        flight.NextAttempt);

    private MemoryStatus Memory()
    {
        var (used, limit) = parts.Memory.Figures;
        return new(SnakeCase(parts.Memory.Level), used, limit);
    }

    private static string SnakeCase<T>(T value)
        where T : struct, Enum
    {
        var name = value.ToString();
        return string.Concat(name.Select((letter, i) => char.IsUpper(letter) && i > 0 ? $"_{letter}" : $"{letter}")).ToLowerInvariant();
    }
}
