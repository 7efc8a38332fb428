using System.Runtime.CompilerServices;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Protocol;
using Portico.Protocol.ProxyProtocol;

namespace Portico.Core.Handshake;

/// <summary>
/// Before step 1, for connections from networks of <c>listeners[].proxyProtocol.trusted</c>: the PROXY header,
/// which says whose connection it is. From all others none is looked for. One per loop and state of the settings.
/// </summary>
/// <param name="context">Of the loop.</param>
/// <param name="log">What the operator hears of it.</param>
internal sealed class OriginHeader(LoopContext context, OriginLog log)
{
    private const int PatienceMs = 3000;

    /// <summary>Reads the header away: the session knows its client's address then, and what came behind is still to be judged.</summary>
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    public async ValueTask<StepResult> ReadAsync(HandshakeState handshake)
    {
        var session = handshake.Session;
        handshake.SetDeadline(context.Loop.NowMs + PatienceMs);
        bool isHeader;
        do
        {
            var step = await ReadOnAsync(handshake);
            if (!step.GoesOn)
                return step.Reason == CloseReason.HandshakeTimeout ? Missing(session) : step;
        }
        while (!TryTake(handshake, out isHeader));

        if (!isHeader) return Missing(session);
        if (!session.IsBalancersOwn) return default;
        // Balancers look whether we are there with a header that names nobody, and hang up: no client was lost,
        // and no cover needs to hear of it.
        handshake.SetDeadline(context.Loop.NowMs + (long)context.Timeouts.Handshake.TotalMilliseconds);
        var first = await ReadOnAsync(handshake);
        handshake.LookAgain();
        return first;
    }

    // Completes when bytes have come, or none will. Whoever says nothing and leaves is a balancer that looks whether we are there.
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    private static async ValueTask<StepResult> ReadOnAsync(HandshakeState handshake)
    {
        while (true)
        {
            switch (handshake.ReadRaw(ProxyHeader.MaxReadLength))
            {
                case IoStatus.Ok:
                    return default;
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
                    return StepResult.Gone(CloseReason.HandshakeTimeout);
            }
        }
    }

    /// <summary>A stranger may be a client whose balancer adds a header that nobody told us to expect.</summary>
    public void NoteUnexpected(HandshakeState handshake)
    {
        var session = handshake.Session;
        if (!session.IsBehindBalancer && ProxyHeader.LooksLikeOne(handshake.Raw.AsSpan(0, handshake.RawLength)))
            log.Unexpected(session);
    }

    // False while more is to come.
    private static bool TryTake(HandshakeState handshake, out bool isHeader)
    {
        var status = ProxyHeader.TryRead(
            handshake.Raw.AsSpan(0, handshake.RawLength), out var length, out var source, out var destination);
        isHeader = status == FrameStatus.Ok;
        if (!isHeader) return status == FrameStatus.Invalid;
        handshake.DropFront(length);
        handshake.ComesFrom(source is not null && destination is not null ? new StatedOrigin(source, destination) : null);
        return true;
    }

    private StepResult Missing(Session session)
    {
        log.Missing(session);
        return StepResult.End(EndManner.CloseUnlessUnread, CloseReason.ProxyHeader);
    }
}
