namespace Portico.Core.Background;

/// <summary>The control groups that this process is in, from its own to the outermost that can be seen: each may have a limit.</summary>
internal static class MemoryGroups
{
    // Nobody nests deeper; what a file says is not believed without end.
    private const int MostLevels = 64;

    /// <summary>Finds them once: a process that is moved to another group keeps these.</summary>
    /// <param name="root">Where the file system begins.</param>
    /// <param name="room">For <see cref="StatusFile"/>.</param>
    public static List<MemoryGroup> Find(string root, byte[] room)
    {
        var groups = new List<MemoryGroup>();
        var mounts = Lines(Path.Join(root, "proc/self/mountinfo"));
        foreach (var line in Lines(Path.Join(root, "proc/self/cgroup")))
        {
            // "0::/a/b" of version 2, "4:memory:/a/b" of version 1
            if (line.Split(':', 3) is not [var number, var controllers, var path]) continue;
            var isV2 = number == "0" && controllers.Length == 0;
            if (!isV2 && !controllers.Split(',').Contains("memory")) continue;
            foreach (var mount in mounts)
            {
                if (TryMount(mount, isV2, out var mountedRoot, out var mountPoint))
                    AddLevels(groups, Path.Join(root, mountPoint), Inside(path, mountedRoot), isV2, room);
            }
        }

        return groups;
    }

    private static void AddLevels(List<MemoryGroup> groups, string mountPoint, string path, bool isV2, byte[] room)
    {
        for (var levels = 0; levels < MostLevels; levels++)
        {
            var folder = Path.Join(mountPoint, path);
            var group = isV2 ? MemoryGroup.OfV2(folder, path, room) : MemoryGroup.OfV1(folder, path, room);
            if (group is not null) groups.Add(group);
            if (path.Length <= 1) break;
            path = path[..Math.Max(0, path.LastIndexOf('/'))];
        }
    }

    // "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:1 - cgroup cgroup rw,memory"
    private static bool TryMount(string line, bool isV2, out string root, out string mountPoint)
    {
        (root, mountPoint) = ("", "");
        if (line.Split(" - ", 2) is not [var mount, var system]) return false;
        var (mountWords, systemWords) = (mount.Split(' '), system.Split(' '));
        if (mountWords.Length < 5 || systemWords.Length < 3) return false;
        (root, mountPoint) = (mountWords[3].Replace("\\040", " "), mountWords[4].Replace("\\040", " "));
        return isV2 ? systemWords[0] == "cgroup2" : systemWords[0] == "cgroup" && systemWords[2].Split(',').Contains("memory");
    }

    // Where only a part of the hierarchy is mounted, as in containers, a path is told from the top all the same.
    // A group above what is mounted has a path with "..": then the mounted one is all that can be seen.
    private static string Inside(string path, string mountedRoot)
    {
        if (path.Contains("..", StringComparison.Ordinal)) return "";
        if (mountedRoot == "/") return path.TrimEnd('/');
        return path.StartsWith(mountedRoot + "/", StringComparison.Ordinal) ? path[mountedRoot.Length..].TrimEnd('/') : "";
    }

    private static string[] Lines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}

/// <summary>One control group.</summary>
internal sealed class MemoryGroup : IDisposable
{
    // Version 1 says "no limit" with the largest number of whole pages.
    private const long NoLimit = 1L << 60;

    private readonly string _name;
    private readonly bool _isV2;
    private readonly StatusFile _limit;
    private readonly StatusFile _high;
    private readonly StatusFile _used;
    private readonly StatusFile _parts;

    private MemoryGroup(string name, bool isV2, StatusFile limit, StatusFile high, StatusFile used, StatusFile parts)
    {
        _name = $"control group {(name.Length == 0 ? "/" : name)}";
        (_isV2, _limit, _high, _used, _parts) = (isV2, limit, high, used, parts);
    }

    /// <summary>Of version 2; null = it has no figures, as the root of all.</summary>
    public static MemoryGroup? OfV2(string folder, string name, byte[] room) =>
        Of(folder, name, isV2: true, ["memory.max", "memory.high", "memory.current", "memory.stat"], room);

    /// <summary>Of version 1; null = it has no figures.</summary>
    public static MemoryGroup? OfV1(string folder, string name, byte[] room) =>
        Of(folder, name, isV2: false, ["memory.limit_in_bytes", "", "memory.usage_in_bytes", "memory.stat"], room);

    /// <summary>What is used of its limit, without what the kernel keeps of files and can drop.</summary>
    /// <returns>No limit = 0.</returns>
    public MemoryFigures Read()
    {
        var limit = Tighter(_limit.Read().Number(), _high.Read().Number());
        if (limit is <= 0 or >= NoLimit) return default;
        var used = _used.Read().Number();
        if (used < 0) return default;
        var files = _isV2 ? _parts.Read().Number("inactive_file "u8) : _parts.Read().Number("total_inactive_file "u8);
        return new MemoryFigures(Math.Max(0, used - Math.Max(0, files)), limit, _name);
    }

    public void Dispose()
    {
        _limit.Dispose();
        _high.Dispose();
        _used.Dispose();
        _parts.Dispose();
    }

    private static MemoryGroup? Of(string folder, string name, bool isV2, ReadOnlySpan<string> files, byte[] room)
    {
        var group = new MemoryGroup(
            name, isV2, Open(files[0]), Open(files[1]), Open(files[2]), Open(files[3]));
        if (group._used.Exists && (group._limit.Exists || group._high.Exists)) return group;
        group.Dispose();
        return null;

        StatusFile Open(string file) => new(Path.Join(folder, file), room);
    }

    private static long Tighter(long one, long other) => one < 0 ? other : other < 0 ? one : Math.Min(one, other);
}
