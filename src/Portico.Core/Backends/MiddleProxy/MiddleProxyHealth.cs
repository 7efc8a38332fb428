using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// Says once that middle proxies cannot be reached, or that they hang up on us, and once that they can be again; shared by all loops.
/// What looks as if our address or the shared secret were outdated has both looked up anew.
/// </summary>
internal sealed partial class MiddleProxyHealth(ILogger log)
{
    // One link may be cut in the middle of its set-up for any reason; so many in a row, and none between that works, may not.
    private const int SuspiciousRefusals = 4;

    private readonly ConcurrentDictionary<short, bool> _failing = new();
    private int _refusals;
    private int _hasWarned;

    /// <summary>Looks the secret, the list and our own address up anew. Called often while links fail.</summary>
    public Action LookUp { get; set; } = static () => { };

    /// <summary>No address of a data centre's middle proxies works.</summary>
    public void Failed(short dc)
    {
        if (!_failing.TryAdd(dc, true)) return;
        // One cause for all, once told, is not told for each.
        var level = Volatile.Read(ref _hasWarned) != 0 ? LogLevel.Debug : LogLevel.Warning;
        Log.Unreachable(log, level, dc);
    }

    /// <summary>A middle proxy took our connection and hung up before the link was ready; keys were made of <paramref name="own"/>.</summary>
    public void Refused(IPAddress own)
    {
        if (Interlocked.Increment(ref _refusals) < SuspiciousRefusals) return;
        if (Interlocked.Exchange(ref _hasWarned, 1) == 0) Log.Refused(log, SuspiciousRefusals, own);
        LookUp();
    }

    /// <summary>A link is ready.</summary>
    public void Worked(short dc)
    {
        Volatile.Write(ref _refusals, 0);
        Volatile.Write(ref _hasWarned, 0);
        if (!_failing.IsEmpty && _failing.TryRemove(dc, out _)) Log.Reachable(log, dc);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1311, EventName = "MiddleProxyUnreachable",
            Message = "No link to the middle proxies of DC {Dc} comes about; trying on. Their clients wait up to 5 s and are then let go")]
        public static partial void Unreachable(ILogger logger, LogLevel level, int dc);

        [LoggerMessage(EventId = 1312, EventName = "MiddleProxyReachable", Level = LogLevel.Information, Message = "The middle proxies of DC {Dc} can be reached again")]
        public static partial void Reachable(ILogger logger, int dc);

        [LoggerMessage(EventId = 1313, EventName = "LinksRefused", Level = LogLevel.Warning,
            Message = "{Count} links in a row were closed right after the key exchange: Telegram may see another address than {Address}, "
                + "or its secret has changed; asking for both anew. If this goes on, set backend.middle.externalIp")]
        public static partial void Refused(ILogger logger, int count, IPAddress address);
    }
}
