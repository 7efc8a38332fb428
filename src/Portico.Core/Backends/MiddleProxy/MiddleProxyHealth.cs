using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// What an operator hears of middle proxies, at most once a minute each: that they cannot be reached, that they hang up on us, that they
/// refuse us, and that they work again. Shared by all loops.
/// What looks as if our address or the shared secret were outdated has both looked up anew.
/// </summary>
internal sealed partial class MiddleProxyHealth(Shortages shortages, ILogger log)
{
    // One link may be cut in the middle of its set-up for any reason; so many in a row, and none between that works, may not.
    private const int SuspiciousRefusals = 4;

    private readonly ConcurrentDictionary<short, Outage> _outages = new();
    private readonly Outage _hangUps = new();
    private readonly LineLimit _clockLines = new(LineLimit.MinuteMs);
    private readonly LineLimit _refusalLines = new(LineLimit.MinuteMs);
    private int _refusals;

    /// <summary>Looks the secret, the list and our own address up anew. Called often while links fail.</summary>
    public Action LookUp { get; set; } = static () => { };

    /// <summary>Data centres whose middle proxies the operator was told cannot be reached, and not yet that they can.</summary>
    public IEnumerable<int> Unreachable => _outages.Where(outage => outage.Value.IsTold).Select(outage => (int)outage.Key);

    /// <summary>No address of a data centre's middle proxies works.</summary>
    /// <param name="dc">The data centre.</param>
    /// <param name="address">The last one that was tried.</param>
    /// <param name="error">What the system said of it.</param>
    /// <param name="why">The same for an operator.</param>
    /// <param name="nowMs">Monotonic.</param>
    public void Failed(short dc, IPEndPoint address, SocketError error, string why, long nowMs)
    {
        if (ConnectErrors.IsOurWant(address, error))
        {
            shortages.Note(error, nowMs);
            return;
        }

        if (!_outages.GetOrAdd(dc, static _ => new Outage()).Failed(nowMs, out var attempts))
            return;
        // One cause for all, once told, is not told for each.
        var level = _hangUps.IsTold ? LogLevel.Debug : LogLevel.Warning;
        Log.Unreachable(log, level, dc, address, why, attempts);
    }

    /// <summary>
    /// A middle proxy took our connection and hung up before the link was ready;
    /// keys were made of <paramref name="own"/>.
    /// </summary>
    public void HungUp(IPAddress own, long nowMs)
    {
        var refusals = Interlocked.Increment(ref _refusals);
        if (refusals < SuspiciousRefusals) return;
        if (_hangUps.Failed(nowMs, out _)) Log.HungUp(log, refusals, own);
        LookUp();
    }

    /// <summary>A link is ready.</summary>
    public void Worked(short dc)
    {
        Volatile.Write(ref _refusals, 0);
        _hangUps.Worked(out _);
        if (_outages.TryGetValue(dc, out var outage) && outage.Worked(out var attempts))
            Log.Reachable(log, dc, attempts);
    }

    /// <summary>A middle proxy has another time than we.</summary>
    public void ClockDiffers(short dc, long seconds, long nowMs)
    {
        if (_clockLines.TryPass(nowMs, out var leftOut))
            Log.ClockDiffers(log, dc, seconds, leftOut);
    }

    /// <summary>A middle proxy said that it does not want us.</summary>
    public void Refused(short dc, int code, long nowMs)
    {
        if (_refusalLines.TryPass(nowMs, out var leftOut))
            Log.HandshakeRefused(log, dc, code, leftOut);
    }

    /// <summary>An exception of ours ended a link.</summary>
    public void LinkFaulted(Exception error, short dc) => Log.LinkFaulted(log, error, dc);

    /// <summary>A pool's own work threw.</summary>
    public void PoolFaulted(Exception error) => Log.PoolFaulted(log, error);

    private static partial class Log
    {
        [LoggerMessage(EventId = 1303, EventName = "LinkFaulted", Level = LogLevel.Error,
            Message = "A link to the middle proxy of DC {Dc} ended by an exception of the proxy; please report it")]
        public static partial void LinkFaulted(ILogger logger, Exception error, int dc);

        [LoggerMessage(EventId = 1304, EventName = "ClockDiffers", Level = LogLevel.Warning,
            Message = "The middle proxy of DC {Dc} has another time: ours differs by {Seconds} s; Telegram refuses links when clocks "
                + "differ by more than 30 s. Left out before this: {LeftOut}")]
        public static partial void ClockDiffers(ILogger logger, int dc, long seconds, long leftOut);

        [LoggerMessage(EventId = 1305, EventName = "HandshakeRefused", Level = LogLevel.Warning,
            Message = "The middle proxy of DC {Dc} refused the handshake with code {Code}. Left out before this: {LeftOut}")]
        public static partial void HandshakeRefused(ILogger logger, int dc, int code, long leftOut);

        [LoggerMessage(EventId = 1310, EventName = "PoolFaulted", Level = LogLevel.Error,
            Message = "Opening links to middle proxies ended by an exception of the proxy; please report it")]
        public static partial void PoolFaulted(ILogger logger, Exception error);

        [LoggerMessage(EventId = 1311, EventName = "MiddleProxyUnreachable",
            Message = "No link to the middle proxies of DC {Dc} comes about (last {Address}: {Why}); trying on, so far {Attempts} times. "
                + "Their clients wait up to 5 s and are then let go")]
        public static partial void Unreachable(ILogger logger, LogLevel level, int dc, IPEndPoint address, string why, long attempts);

        [LoggerMessage(EventId = 1312, EventName = "MiddleProxyReachable", Level = LogLevel.Information,
            Message = "The middle proxies of DC {Dc} can be reached again, after {Attempts} attempts")]
        public static partial void Reachable(ILogger logger, int dc, long attempts);

        [LoggerMessage(EventId = 1313, EventName = "LinksRefused", Level = LogLevel.Warning,
            Message = "{Count} links in a row were closed right after the key exchange: Telegram may see another address than {Address}, "
                + "or its secret has changed; asking for both anew. If this goes on, set backend.middle.externalIp")]
        public static partial void HungUp(ILogger logger, int count, IPAddress address);
    }
}
