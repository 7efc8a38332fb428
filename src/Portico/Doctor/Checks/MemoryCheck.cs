using System.Globalization;
using Portico.Core.Background;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>
/// Does the memory suffice for the sessions allowed? Sockets count too: a container's limit holds for the kernel's share as well.
/// </summary>
internal sealed class MemoryCheck(ProxySettings settings, DataDirectoryHolder? holder, MachineFiles files) : ICheck
{
    // What version 1 has where there is no limit: the largest number of pages.
    private const long NoLimit = 1L << 60;

    public string Name => "memory";

    public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop) => Task.FromResult<IReadOnlyList<Finding>>([Judge()]);

    private Finding Judge()
    {
        if (Limits().OrderBy(limit => limit.Bytes).FirstOrDefault() is not { Bytes: > 0 } least)
            return Diagnoses.MemoryUnknown.Found("this system does not tell how much memory there is");
        var (most, seen) = (Capacity.MostSessions(settings), Capacity.SeenBytes(settings.Replay));
        var wanted = Capacity.OwnBytes + seen + (most * Capacity.BytesPerSession);
        if (least.Bytes >= wanted)
            return Diagnoses.MemoryEnough.Found($"{Megabytes(least.Bytes)} ({least.Source}); maxConnections may take {Megabytes(wanted)}");
        var sessions = Math.Max(0, least.Bytes - Capacity.OwnBytes - seen) / Capacity.BytesPerSession;
        var text = $"{Megabytes(least.Bytes)} ({least.Source}) are enough for some {sessions} sessions; maxConnections allows {most}, "
            + $"which may take {Megabytes(wanted)}: {Megabytes(Capacity.OwnBytes)} of the process, {Megabytes(seen)} of clients seen, "
            + "16 KB a session (most of them the kernel's, for sockets and their buffers)";
        var cure = $"give it {Megabytes(wanted)} (MemoryMax= of the service, --memory of the container), "
            + $"or set maxConnections to {Math.Max(1, sessions)}{(sessions == 0 ? " and replay.maxMemoryMb to less" : "")}";
        return (Capacity.IsFarBelow(sessions, most) ? Diagnoses.MemoryTooLittle : Diagnoses.MemoryLittle).Found(text, cure);
    }

    private static string Megabytes(long bytes) => $"{bytes >> 20} MB";

    private IEnumerable<(long Bytes, string Source)> Limits()
    {
        var process = holder?.ProcessId is { } id && files.Read($"proc/{id}/cgroup") is { } text ? text : files.Read("proc/self/cgroup");
        foreach (var line in (process ?? "").Split('\n'))
        {
            // number:controllers:path; version 2 has 0 and no controllers
            var parts = line.Split(':', 3);
            if (parts.Length < 3) continue;
            var (mount, name) = (parts[0], parts[1]) switch
            {
                ("0", "") => ("sys/fs/cgroup", "memory.max"),
                (_, var controllers) when controllers.Split(',').Contains("memory") => ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                _ => ("", ""),
            };
            if (mount.Length == 0) continue;
            foreach (var group in WithAncestors(parts[2].Trim()))
            {
                if (files.Number($"{mount}{group}/{name}") is { } bytes and < NoLimit)
                    yield return (bytes, group.Length == 0 ? "the limit of the container" : $"the limit of {group}");
            }
        }

        // "MemTotal:       24683520 kB"
        var words = files.Lines("proc/meminfo").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(words => words is ["MemTotal:", _, "kB"]);
        if (long.TryParse(words?[1], NumberStyles.None, CultureInfo.InvariantCulture, out var kilobytes))
            yield return (kilobytes << 10, "the machine");
    }

    // "/a/b", "/a", "": a limit of any of them holds.
    private static IEnumerable<string> WithAncestors(string path)
    {
        for (path = path.TrimEnd('/'); path.Length > 0; path = path[..path.LastIndexOf('/')])
        {
            yield return path;
            if (!path.StartsWith('/')) yield break;
        }

        yield return "";
    }
}
