using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>How many sessions the configuration allows, and what they take.</summary>
internal static class Capacity
{
    /// <summary>Below this share of the sessions allowed, something is too little and not only less than it might have to be.</summary>
    private const int Share = 10;

    /// <summary>Of the process beside its sessions: the runtime, links, downloads, files.</summary>
    public const long OwnDescriptors = 512;

    /// <summary>The process before anybody comes, with room for what the collector leaves.</summary>
    public const long OwnBytes = 64L << 20;

    /// <summary>Counted for one client seen (docs/performance.md, "Replay memory").</summary>
    public const long BytesPerSeen = 24;

    /// <summary>
    /// An idle session has 0.7 KB of ours (docs/performance.md) and two sockets with 4 KB each of the kernel's. One in fifty is loading:
    /// 64 KB of ours and 256 KB of socket buffers, 6.4 KB shared by all.
    /// </summary>
    public const long BytesPerSession = 16 << 10;

    /// <summary>All listeners together.</summary>
    public static long MostSessions(ProxySettings settings) => settings.Listeners.Sum(listener => (long)listener.MaxConnections);

    /// <summary>Towards the client and towards Telegram; where all go through middle proxies, towards the client alone.</summary>
    public static long DescriptorsPerSession(ProxySettings settings) => settings.Mode == BackendMode.Middle ? 1 : 2;

    /// <summary>Strangers at the cover at a time, with two descriptors each.</summary>
    public static long MostStrangers(ProxySettings settings) => settings.Cover.Mode == CoverMode.Off ? 0 : settings.Cover.MaxConnections;

    /// <summary>The memory for what was seen of clients, when it is full.</summary>
    public static long SeenBytes(ReplaySettings replay) => replay.Enabled ? Math.Min(replay.MaxBytes, replay.MaxItems * BytesPerSeen) : 0;

    /// <summary>Whether so many sessions are far too few.</summary>
    public static bool IsFarBelow(long sessions, long most) => sessions < most / Share;
}
