using Portico.Core.Net.Epoll;

namespace Portico.Core.Net;

/// <summary>What the process asks of the operating system once, at start.</summary>
public static class ProcessLimits
{
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

    /// <summary>Keeps other processes of the same user, and core files, from reading the secrets in memory.</summary>
    public static void ForbidDumps()
    {
        if (OperatingSystem.IsLinux()) _ = Native.prctl(Native.PR_SET_DUMPABLE, 0, 0, 0, 0);
    }
}
