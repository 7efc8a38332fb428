using Portico.Core.Net.Epoll;

namespace Portico.Core.Net;

/// <summary>
/// Keeps the last descriptors of the process for the runtime. It needs two for every thread that it starts,
/// and ends the process with "Out of memory" when it gets none (seen with .NET 10): whoever could open connections
/// until accept fails could end the proxy. The kernel always gives the lowest free number, so a number close
/// to the limit tells that few are left, without counting. Linux only; elsewhere nothing is ever scarce.
/// </summary>
internal static class DescriptorReserve
{
    /// <summary>Left when listeners stop accepting: enough that clients already let in still reach their data centre.</summary>
    public const int Accepting = 32;

    /// <summary>Left when no more connections to data centres are opened.</summary>
    public const int Connecting = 16;

    // A limit may be changed from outside while we run (man 2 prlimit), and asking costs a system call.
    private const int AskAgainMs = 250;

    private static long _limit = long.MaxValue;
    private static long _askAgainMs;

    /// <summary>Whether a descriptor that was just opened is among the last <paramref name="reserve"/>.</summary>
    public static bool IsScarce(nint descriptor, int reserve) => descriptor >= Limit() - reserve;

    /// <summary>Whether the next descriptor would be among the last <paramref name="reserve"/>. Opens one and closes it.</summary>
    public static bool WouldBeScarce(int reserve)
    {
        if (!OperatingSystem.IsLinux()) return false;
        var probe = Native.eventfd(0, Native.EFD_CLOEXEC);
        if (probe < 0) return true;
        _ = Native.close(probe);
        return IsScarce(probe, reserve);
    }

    /// <summary>So many descriptors may be open; the largest number = any.</summary>
    // Two threads may both ask: they get the same answer.
    public static unsafe long Limit()
    {
        var now = Environment.TickCount64;
        if (now < Volatile.Read(ref _askAgainMs)) return Volatile.Read(ref _limit);
        Native.ResourceLimit limit = default;
        var known = OperatingSystem.IsLinux() && Native.getrlimit(Native.RLIMIT_NOFILE, &limit) == 0;
        // "no limit" is the largest number
        Volatile.Write(ref _limit, known ? (long)Math.Min((ulong)limit.Soft, long.MaxValue) : long.MaxValue);
        Volatile.Write(ref _askAgainMs, now + AskAgainMs);
        return Volatile.Read(ref _limit);
    }
}
