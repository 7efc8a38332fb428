using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>
/// What is told of the WEB sessions of one listener, in figures and in lines. From any thread. Nothing that came in a request is among it.
/// </summary>
/// <param name="listener">Its name.</param>
/// <param name="metrics">Counts.</param>
/// <param name="log">Where lines go.</param>
internal sealed partial class WebReport(string listener, ProxyMetrics metrics, ILogger log)
{
    private long _created;

    /// <summary>A bridge page is shown.</summary>
    public void PageShown() => metrics.WebPage(listener);

    /// <summary>The number of a new session, by which lines name it.</summary>
    public long NextNumber() => Interlocked.Increment(ref _created);

    /// <summary>A session was created.</summary>
    /// <param name="afterMs">Since its page was asked for.</param>
    public void Created(long afterMs) => metrics.WebWelcome(listener, afterMs / 1000.0);

    /// <summary>A request that was right was refused.</summary>
    /// <param name="reason">See <see cref="ProxyMetrics.WebRefused"/>.</param>
    public void Refused(string reason) => metrics.WebRefused(listener, reason);

    /// <summary>An app was told to ask the same in a second.</summary>
    public void SaidAgain() => metrics.WebAgain(listener);

    /// <summary>An app has asked for the second time, as it did not hear the answer.</summary>
    /// <param name="isUp">With frames; else for frames.</param>
    public void Repeated(bool isUp) => metrics.WebRepeated(listener, isUp);

    /// <summary>A session is over.</summary>
    /// <param name="number">As <see cref="NextNumber"/> gave it.</param>
    /// <param name="session">Which; on its loop.</param>
    /// <param name="carrier">What its frames travelled on; null = none has.</param>
    /// <param name="afterMs">Since it was created.</param>
    /// <param name="fault">An exception of ours, if that is why.</param>
    public void Ended(long number, WebSession session, WebCarrier? carrier, long afterMs, Exception? fault)
    {
        if (fault is not null) Log.Faulted(log, fault, listener, number);
        var (reason, way) = (session.Ended.GetValueOrDefault().Tag(), carrier?.Tag() ?? WebFigures.NoCarrier);
        metrics.WebEnded(listener, reason);
        Log.Ended(
            log, listener, number, session.User.Credential.Name, reason, afterMs / 1000, way, session.Opened, session.Received,
            session.Sent);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2371, EventName = "WebSessionEnded", Level = LogLevel.Debug,
            Message = "WEB session {Session} on {Listener} ended: {Reason} after {Seconds} s; user {User}, {Carrier}, {Streams} streams; "
                + "{Received} bytes from it, {Sent} to it")]
        public static partial void Ended(
            ILogger logger, string listener, long session, string user, string reason, long seconds, string carrier, long streams,
            long received, long sent);

        [LoggerMessage(EventId = 2372, EventName = "WebSessionFaulted", Level = LogLevel.Error,
            Message = "WEB session {Session} on {Listener} ended by an exception of the proxy; please report it")]
        public static partial void Faulted(ILogger logger, Exception error, string listener, long session);
    }
}
