using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Sessions;

namespace Portico.Core.Handshake;

/// <summary>What the operator hears of PROXY headers that are missing, or not expected: a line a minute of each, over all loops.</summary>
internal sealed partial class OriginLog(ILogger log)
{
    private readonly LineLimit _missing = new(LineLimit.MinuteMs);
    private readonly LineLimit _unexpected = new(LineLimit.MinuteMs);

    /// <summary>A trusted network's connection brought none.</summary>
    public void Missing(Session session)
    {
        if (_missing.TryPass(Environment.TickCount64, out var leftOut))
            Log.Missing(log, session.Listener.Name, session.Client.RemoteAddress()?.Address, session.Listener.Index, leftOut);
    }

    /// <summary>Another's began with one.</summary>
    public void Unexpected(Session session)
    {
        if (_unexpected.TryPass(Environment.TickCount64, out var leftOut))
            Log.Unexpected(log, session.Listener.Name, session.Listener.Index, leftOut);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1110, EventName = "ProxyHeaderMissing", Level = LogLevel.Warning,
            Message = "Listener {Listener}: a connection from {Address} was closed, as no PROXY header came with it. Let your balancer "
                + "send one (HAProxy: send-proxy-v2; nginx: proxy_protocol on), or take its network out of "
                + "listeners[{Index}].proxyProtocol.trusted. Left out before this: {LeftOut}")]
        public static partial void Missing(ILogger logger, string listener, IPAddress? address, int index, long leftOut);

        [LoggerMessage(EventId = 1111, EventName = "ProxyHeaderUnexpected", Level = LogLevel.Warning,
            Message = "Listener {Listener}: a connection began with a PROXY header and went to strangers. If a balancer of yours is in "
                + "front, add its network to listeners[{Index}].proxyProtocol.trusted. Left out before this: {LeftOut}")]
        public static partial void Unexpected(ILogger logger, string listener, int index, long leftOut);
    }
}
