using System.Globalization;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>What sessions have to say: at debug one line for each when it ends, above that what is rare. Shared by all loops.</summary>
internal sealed partial class SessionLog(ILogger log) : ILoopTask
{
    private const string Unknown = "-";

    private readonly LineLimit _firsts = new();
    private int _isRestScheduled;

    /// <summary>A session has ended.</summary>
    public void Closed(Session session, CloseReason reason, double seconds)
    {
        if (!log.IsEnabled(LogLevel.Debug)) return;
        var judged = session.Judged;
        var (tag, side, words) = (reason.Tag(), reason.Side().Tag(), judged.Words());
        var (user, protocol) = (UserOf(session), ProtocolOf(judged));
        var dc = judged.HasHeader ? judged.Dc.ToString(CultureInfo.InvariantCulture) : Unknown;
        Log.Closed(log, session.Listener.Name, tag, side, seconds, words, user, protocol, dc, session.Received, session.Sent);
    }

    /// <summary>An exception of ours ended a session.</summary>
    public void Faulted(Session session, Exception error) => Log.Faulted(log, error, session.Listener.Name);

    /// <summary>The first client of a user since the start has a way to Telegram.</summary>
    public void FirstClient(Session session)
    {
        var loop = session.Context.Loop;
        if (_firsts.TryPass(loop.NowMs, out var leftOut))
        {
            var (user, protocol) = (UserOf(session), ProtocolOf(session.Judged));
            Log.FirstClient(log, user, session.Listener.Name, protocol, session.Judged.Dc);
            if (leftOut > 0) Log.MoreFirstClients(log, leftOut);
        }
        else if (Interlocked.Exchange(ref _isRestScheduled, 1) == 0)
        {
            loop.EnqueueAt(loop.NowMs + LineLimit.SecondMs, this);
        }
    }

    // After a start all users come at once: those who had no line are told as a number.
    public void Run()
    {
        Volatile.Write(ref _isRestScheduled, 0);
        if (_firsts.TakeLeftOut() is > 0 and var leftOut) Log.MoreFirstClients(log, leftOut);
    }

    // What cannot be written cannot be told either.
    public void OnFault(Exception error)
    {
    }

    private static string UserOf(Session session) => session.Judged.Credential?.Name ?? Unknown;

    private static string ProtocolOf(in Judged judged) =>
        judged.HasHeader ? ProxyMetrics.ProtocolName(judged.IsTls, judged.Transport) : Unknown;

    private static partial class Log
    {
        [LoggerMessage(EventId = 1101, EventName = "SessionClosed", Level = LogLevel.Debug, SkipEnabledCheck = true,
            Message = "Session on {Listener} closed: {Reason} ({Side}) after {Seconds} s; {Judged}; user {User}, {Protocol}, DC {Dc}; "
                + "{Received} bytes from it, {Sent} to it")]
        public static partial void Closed(
            ILogger logger, string listener, string reason, string side, double seconds, string judged, string user, string protocol,
            string dc, long received, long sent);

        [LoggerMessage(EventId = 1102, EventName = "SessionFaulted", Level = LogLevel.Error,
            Message = "A session on {Listener} ended by an exception of the proxy; please report it")]
        public static partial void Faulted(ILogger logger, Exception error, string listener);

        [LoggerMessage(EventId = 1103, EventName = "FirstClient", Level = LogLevel.Information,
            Message = "First client of user {User} on {Listener} since the start: {Protocol}, DC {Dc}")]
        public static partial void FirstClient(ILogger logger, string user, string listener, string protocol, int dc);

        [LoggerMessage(EventId = 1104, EventName = "MoreFirstClients", Level = LogLevel.Information,
            Message = "And the first clients of {Users} other users")]
        public static partial void MoreFirstClients(ILogger logger, long users);
    }
}
