using System.Net;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Protocol;
using Portico.Protocol.ProxyProtocol;

namespace Portico.Core.Handshake;

/// <summary>
/// Before step 1, for connections from networks of <c>listeners[].proxyProtocol.trusted</c>: the PROXY header,
/// which says whose connection it is. From all others none is looked for. One per loop.
/// </summary>
/// <param name="context">Of the loop.</param>
/// <param name="log">For what an operator must know.</param>
internal sealed partial class OriginHeader(LoopContext context, ILogger log)
{
    private const int PatienceMs = 3000;

    private readonly LineLimit _missing = new(LineLimit.MinuteMs);
    private readonly LineLimit _unexpected = new(LineLimit.MinuteMs);

    /// <summary>Reads the header away; the session knows its client's address afterwards, and what came behind is still to be judged.</summary>
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    public async ValueTask<StepResult> ReadAsync(HandshakeState handshake)
    {
        var session = handshake.Session;
        handshake.SetDeadline(context.Loop.NowMs + PatienceMs);
        while (true)
        {
            switch (handshake.ReadRaw(ProxyHeader.MaxReadLength))
            {
                case IoStatus.Ok when TryTake(handshake, out var isHeader):
                    return isHeader ? default : Missing(session);
                case IoStatus.Ok:
                    continue;
                // A balancer that looks whether we are there says nothing: no client was lost.
                case IoStatus.Eof:
                    return StepResult.Gone(CloseReason.ClientClosed);
                case IoStatus.Reset:
                    return StepResult.Gone(CloseReason.ClientReset);
            }

            switch (await handshake.NextEventAsync())
            {
                case Wake.Shutdown:
                    return StepResult.Gone(CloseReason.Shutdown);
                case Wake.Deadline:
                    return Missing(session);
            }
        }
    }

    /// <summary>A stranger may be a client whose balancer adds a header that nobody told us to expect.</summary>
    public void NoteUnexpected(HandshakeState handshake)
    {
        var session = handshake.Session;
        if (session.IsBehindBalancer || !ProxyHeader.LooksLikeOne(handshake.Raw.AsSpan(0, handshake.RawLength))) return;
        if (_unexpected.TryPass(context.Loop.NowMs, out var leftOut))
            Log.Unexpected(log, session.Listener.Name, session.Client.RemoteAddress()?.Address, session.Listener.Index, leftOut);
    }

    // False while more is to come.
    private static bool TryTake(HandshakeState handshake, out bool isHeader)
    {
        var status = ProxyHeader.TryRead(
            handshake.Raw.AsSpan(0, handshake.RawLength), out var length, out var source, out var destination);
        isHeader = status == FrameStatus.Ok;
        if (!isHeader) return status == FrameStatus.Invalid;
        handshake.DropFront(length);
        handshake.Session.ComesFrom(source is not null && destination is not null ? new StatedOrigin(source, destination) : null);
        return true;
    }

    private StepResult Missing(Session session)
    {
        if (_missing.TryPass(context.Loop.NowMs, out var leftOut))
            Log.Missing(log, session.Listener.Name, session.Client.RemoteAddress()?.Address, session.Listener.Index, leftOut);
        return StepResult.End(EndManner.Fin, CloseReason.ProxyHeader);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1110, EventName = "ProxyHeaderMissing", Level = LogLevel.Warning,
            Message = "Listener {Listener}: a connection from {Address} was closed, as no PROXY header came with it. Let your balancer "
                + "send one (HAProxy: send-proxy-v2; nginx: proxy_protocol on), or take its network out of "
                + "listeners[{Index}].proxyProtocol.trusted. Left out before this: {LeftOut}")]
        public static partial void Missing(ILogger logger, string listener, IPAddress? address, int index, long leftOut);

        [LoggerMessage(EventId = 1111, EventName = "ProxyHeaderUnexpected", Level = LogLevel.Warning,
            Message = "Listener {Listener}: a connection from {Address} began with a PROXY header and went to strangers. If that is a "
                + "balancer of yours, add its network to listeners[{Index}].proxyProtocol.trusted. Left out before this: {LeftOut}")]
        public static partial void Unexpected(ILogger logger, string listener, IPAddress? address, int index, long leftOut);
    }
}
