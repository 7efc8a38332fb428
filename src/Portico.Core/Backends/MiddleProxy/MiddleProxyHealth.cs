using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>Says once that a data centre's middle proxies cannot be reached, and once that they can again; shared by all loops.</summary>
internal sealed partial class MiddleProxyHealth(ILogger log)
{
    private readonly ConcurrentDictionary<short, bool> _failing = new();

    public void Failed(short dc)
    {
        if (_failing.TryAdd(dc, true)) Log.Unreachable(log, dc);
    }

    public void Worked(short dc)
    {
        if (!_failing.IsEmpty && _failing.TryRemove(dc, out _)) Log.Reachable(log, dc);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1311, EventName = "MiddleProxyUnreachable", Level = LogLevel.Warning, Message = "No link to the middle proxies of DC {Dc} comes about; trying on. Their clients wait up to 5 s and are then let go")]
        public static partial void Unreachable(ILogger logger, int dc);

        [LoggerMessage(EventId = 1312, EventName = "MiddleProxyReachable", Level = LogLevel.Information, Message = "The middle proxies of DC {Dc} can be reached again")]
        public static partial void Reachable(ILogger logger, int dc);
    }
}
