using System.Globalization;
using System.IO.Enumeration;
using Portico.Core.Net.Epoll;

namespace Portico.Core.Net;

/// <summary>What the process asks of the operating system about itself.</summary>
public static class ProcessLimits
{
    private static readonly EnumerationOptions Everything = new() { IgnoreInaccessible = false, AttributesToSkip = 0 };

    /// <summary>Raises the soft descriptor limit to the hard one, since a proxy needs two per session.</summary>
    /// <returns>The limit now in force; 0 where there is none to ask for.</returns>
    public static unsafe long RaiseDescriptorLimit()
    {
        if (!OperatingSystem.IsLinux()) return 0;
        Native.ResourceLimit limit;
        if (Native.getrlimit(Native.RLIMIT_NOFILE, &limit) != 0) return 0;
        var wanted = limit with { Soft = limit.Hard };
        return Native.setrlimit(Native.RLIMIT_NOFILE, &wanted) == 0 ? (long)wanted.Soft : (long)limit.Soft;
    }

    /// <summary>
    /// Local ports that the system gives to connections: so many clients at a time
    /// can be connected to each address of a data centre. 0 where it does not tell.
    /// </summary>
    public static int LocalPorts()
    {
        const string Range = "/proc/sys/net/ipv4/ip_local_port_range";
        if (!File.Exists(Range)) return 0;
        var ends = File.ReadAllText(Range).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return ends.Length == 2 && int.TryParse(ends[0], out var first) && int.TryParse(ends[1], out var last) ? last - first + 1 : 0;
    }

    /// <summary>Descriptors that are open now; -1 where the system does not tell. A millisecond for every 5000.</summary>
    public static long OpenDescriptors() => Entries("/proc/self/fd") is > 0 and var entries ? entries - 1 : -1; // that of the folder itself

    /// <summary>Threads of the process; -1 where the system does not tell.</summary>
    internal static long Threads() => Entries("/proc/self/task");

    // No name becomes an object: there may be a hundred thousand.
    private static long Entries(string folder)
    {
        try
        {
            var entries = 0L;
            foreach (var _ in new FileSystemEnumerable<byte>(folder, static (ref FileSystemEntry _) => 0, Everything)) entries++;
            return entries;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }

    /// <summary>
    /// For how many sessions the descriptors suffice: two each,
    /// after what the process itself needs. 0 where there is no limit to ask for.
    /// </summary>
    public static unsafe long Sessions()
    {
        const long OwnNeeds = 512;
        if (!OperatingSystem.IsLinux()) return 0;
        Native.ResourceLimit limit;
        if (Native.getrlimit(Native.RLIMIT_NOFILE, &limit) != 0) return 0;
        var descriptors = (long)Math.Min(limit.Soft, int.MaxValue);
        return (descriptors - Math.Min(OwnNeeds, descriptors / 4)) / 2;
    }

    /// <summary>
    /// Gives the pages of code and constants back that the start has touched. What runs from now on is a small part of it and is mapped
    /// again, from the kernel's cache of the file, as it is called: 25 MB of resident memory become 20, and 31 with administration 25.
    /// </summary>
    public static unsafe void ReleaseStartCode()
    {
        const string Maps = "/proc/self/smaps", Dirty = "Private_Dirty:", Anonymous = "Anonymous:";
        if (!OperatingSystem.IsLinux() || !File.Exists(Maps)) return;
        (ulong Start, ulong End) range = default;
        var isWritten = false;
        foreach (var line in File.ReadLines(Maps))
        {
            if (line[0] is (>= '0' and <= '9') or (>= 'a' and <= 'f')) range = ReadOnlyFile(line);
            // The figures of a mapping follow its own line, in this order.
            else if (line.StartsWith(Dirty, StringComparison.Ordinal)) isWritten = !IsZero(line);
            if (!line.StartsWith(Anonymous, StringComparison.Ordinal)) continue;
            // Only what nobody has written to: data that was relocated when it was loaded would be lost.
            if (range.End > range.Start && !isWritten && IsZero(line))
                _ = Native.madvise((void*)range.Start, (nuint)(range.End - range.Start), Native.MADV_DONTNEED);
        }
    }

    private static bool IsZero(string figure) => figure.EndsWith(" 0 kB", StringComparison.Ordinal);

    // "START-END r-xp OFFSET DEVICE INODE PATH"; nothing for what is no file, or can be written to.
    private static (ulong Start, ulong End) ReadOnlyFile(string line)
    {
        const string Code = " r-xp ", Constants = " r--p ";
        if (!line.Contains('/')) return default;
        if (!line.Contains(Code, StringComparison.Ordinal) && !line.Contains(Constants, StringComparison.Ordinal))
            return default;
        var ends = line[..line.IndexOf(' ')].Split('-');
        return ends.Length == 2
            && ulong.TryParse(ends[0], NumberStyles.HexNumber, null, out var start)
            && ulong.TryParse(ends[1], NumberStyles.HexNumber, null, out var end)
            ? (start, end)
            : default;
    }

    /// <summary>
    /// Whether the process was started with <paramref name="descriptor"/> open. One that was closed then may be something else by now: the
    /// runtime opens its own with close-on-exec, which nothing inherited can have.
    /// </summary>
    public static bool IsInherited(int descriptor) =>
        !OperatingSystem.IsLinux() || Native.fcntl(descriptor, Native.F_GETFD) is >= 0 and var flags && (flags & Native.FD_CLOEXEC) == 0;

    /// <summary>
    /// Keeps other processes of the same user, core files and the runtime's own crash dumps from reading
    /// the secrets in memory. To be called first of all: later threads inherit what this one gave up.
    /// </summary>
    public static void ForbidDumps()
    {
        if (!OperatingSystem.IsLinux()) return;
        _ = Native.prctl(Native.PR_SET_DUMPABLE, 0, 0, 0, 0);

        // Root's children may look into any process all the same, and the runtime starts
        // one for DOTNET_DbgEnableMiniDump=1. Without the right to give, they may not.
        // Anybody but root is refused here and never had it.
        _ = Native.prctl(Native.PR_CAPBSET_DROP, Native.CAP_SYS_PTRACE, 0, 0, 0);
    }
}
