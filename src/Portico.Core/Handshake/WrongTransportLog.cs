using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Sessions;
using Portico.Protocol;

namespace Portico.Core.Handshake;

/// <summary>
/// What the operator hears of clients that know a secret and speak the wrong transport inside fake TLS: most often an app made with a
/// library of others, which hangs for its user without a reason. A line a minute, over all loops.
/// </summary>
internal sealed partial class WrongTransportLog(ILogger log)
{
    private readonly LineLimit _lines = new(LineLimit.MinuteMs);

    /// <summary>A right header named another one.</summary>
    public void Met(Session session, Transport transport)
    {
        if (!_lines.TryPass(session.Context.Loop.NowMs, out var leftOut)) return;
        var name = Name(transport);
        Log.Met(log, session.Judged.Credential?.Name, session.Listener.Name, name, leftOut);
    }

    private static string Name(Transport transport) => transport switch
    {
        Transport.Abridged => "abridged",
        Transport.Intermediate => "intermediate",
        _ => throw new ArgumentOutOfRangeException(nameof(transport), transport, null),
    };

    private static partial class Log
    {
        [LoggerMessage(EventId = 1112, EventName = "WrongTransport", Level = LogLevel.Information,
            Message = "A client of user {User} on {Listener} was closed: inside fake TLS it speaks {Transport} where padded intermediate "
                + "is expected, which Telegram's own apps speak. Its app or library is at fault. Left out before this: {LeftOut}")]
        public static partial void Met(ILogger logger, string? user, string listener, string transport, long leftOut);
    }
}
