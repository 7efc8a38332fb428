using System.Runtime.CompilerServices;
using System.Text;
using Portico.Core.Admission.Policy;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Protocol;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Handshake;

/// <summary>
/// Step 2: what somebody sees who is not ours. The cover, from the first byte on. Where there is none,
/// a hello that no TLS server could decode, or that names no host, gets a TLS server's answer to such a hello;
/// everybody else sees the connection closed without a byte (spec/02 sections 8 and 10.2).
/// </summary>
/// <param name="context">Of the loop.</param>
/// <param name="cover">Where strangers go.</param>
/// <param name="guests">The loop's places at the cover.</param>
/// <param name="learnerHellos">Hellos of this proxy's own questions to the cover.</param>
/// <param name="origins">Hears of PROXY headers that nobody expected.</param>
/// <param name="policy">Its tables say which names may be dialled.</param>
internal sealed class StrangerHandling(
    LoopContext context, CoverServices cover, CoverGuests guests, LearnerHellos learnerHellos, OriginHeader origins, AccessPolicy policy)
{
    private const int SiteOfNamesPort = 443;

    /// <summary>Takes the client over from the handshake; ends when the cover relays, or when the client has been seen off.</summary>
    [AsyncMethodBuilder(typeof(StepMethodBuilder))]
    public async ValueTask PassOnAsync(HandshakeState handshake, CloseReason reason)
    {
        var session = handshake.Session;
        if (IsOurOwnQuestion(handshake)) { Leave(handshake, reason, hasClientEnded: false); return; }

        origins.NoteUnexpected(handshake);
        session.Refuse(reason);
        if (!SeesCover(cover.Settings, reason))
        {
            SeeOff(handshake, reason);
            return;
        }

        if (handshake.Cover is null)
        {
            var destination = await FindTargetAsync(handshake);
            if (destination.IsGone) { LingeringClose.End(session, destination.End); return; }
            if (destination.Target is null) { SeeOff(handshake, reason); return; }
            handshake.OpenCover(cover, guests, destination.Target);
        }

        var hasClientEnded = reason == CloseReason.ClientClosed;
        while (true)
        {
            if (session.Client.Failed) { session.Close(CloseReason.ClientReset); return; }
            switch (handshake.Cover!.Advance())
            {
                case CoverState.Open:
                    if (!hasClientEnded)
                        hasClientEnded = handshake.ReadAllRaw(Judge.MaxRawLength) == IoStatus.Eof;
                    // more is to come in its time
                    if (!handshake.PassOnToCover() && !handshake.Cover.HasSpoken) break;
                    CoverRelay.Start(session, handshake.TakeCover(), handshake.Raw.AsSpan(0, handshake.RawLength), hasClientEnded);
                    handshake.DropRaw();
                    return;
                case CoverState.Refused:
                    SeeOff(handshake, reason);
                    return;
                case CoverState.Failed:
                    Leave(handshake, handshake.Cover.Reason, hasClientEnded);
                    return;
            }

            if (await handshake.NextEventAsync() == Wake.Shutdown) { session.Close(CloseReason.Shutdown); return; }
        }
    }

    // The learner's connection to the cover has come back to us by a way that
    // no comparison of addresses finds, and so would every stranger's.
    private bool IsOurOwnQuestion(HandshakeState handshake)
    {
        var session = handshake.Session;
        if (!learnerHellos.Recognize(handshake.Raw.AsSpan(0, handshake.RawLength))) return false;
        context.Metrics.Cover(session.Listener.Name, "loop");
        return true;
    }

    private static bool SeesCover(CoverSettings settings, CloseReason reason)
    {
        if (settings.Mode == CoverMode.Off || (settings.AlertMalformedHello && IsAnsweredByAlert(reason)))
            return false;
        return !(settings.ClosePolicyRefused && (reason is CloseReason.ConnectionLimit or CloseReason.PolicyError || reason.IsUserLimit()));
    }

    private static bool IsAnsweredByAlert(CloseReason reason) => reason is CloseReason.TlsBadClientHello or CloseReason.TlsNoSni;

    private static void SeeOff(HandshakeState handshake, CloseReason reason)
    {
        if (IsAnsweredByAlert(reason)) handshake.Send(TlsAlert.DecodeError);
        Leave(handshake, reason, hasClientEnded: reason == CloseReason.ClientClosed);
    }

    private static void Leave(HandshakeState handshake, CloseReason reason, bool hasClientEnded)
    {
        handshake.DropCover();
        handshake.DropRaw();
        // Everything has been read, so this is a FIN, unless the operator wants RST.
        if (hasClientEnded || handshake.Session.EndsWithReset) handshake.Session.Close(reason);
        else LingeringClose.Fin(handshake.Session, reason);
    }

    // The mode sni needs the whole hello, which may have been found wanting before its end was here.
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    private async ValueTask<Destination> FindTargetAsync(HandshakeState handshake)
    {
        if (cover.Settings.Target is { } site) return new(site);
        while (true)
        {
            var status = FindName(handshake, out var target);
            if (status == FrameStatus.Invalid)
                context.Metrics.Cover(handshake.Session.Listener.Name, "no_sni");
            if (status != FrameStatus.NeedMoreData) return new(target);
            switch (handshake.ReadRaw(Judge.MaxRawLength))
            {
                case IoStatus.Ok:
                    continue;
                case IoStatus.Eof:
                    return Destination.Gone(CloseReason.ClientClosed);
                case IoStatus.Reset:
                    return Destination.Gone(CloseReason.ClientReset);
            }

            var wake = await handshake.NextEventAsync();
            if (wake != Wake.Event)
                return Destination.Gone(wake == Wake.Shutdown ? CloseReason.Shutdown : CloseReason.HandshakeTimeout);
        }
    }

    private FrameStatus FindName(HandshakeState handshake, out CoverTarget? target)
    {
        target = null;
        using var scratch = handshake.Loop.Scratch.Borrow();
        var status = ClientHelloReader.TryFindUsableSni(handshake.Raw.AsSpan(0, handshake.RawLength), scratch.Bytes, out var sni);
        if (status != FrameStatus.Ok) return status;
        var name = Encoding.Latin1.GetString(sni);
        if (!DomainName.IsHost(name)) return FrameStatus.Invalid;
        if (policy.Rules is { } rules && !rules.Allow(sni))
            context.Metrics.Cover(handshake.Session.Listener.Name, "policy");
        else target = CoverTarget.OfHost(name, SiteOfNamesPort);
        return FrameStatus.Ok;
    }

    /// <summary>Which site a stranger is for. Neither gone nor a target: none.</summary>
    private readonly record struct Destination(CoverTarget? Target)
    {
        public bool IsGone { get; private init; }

        public StepResult End { get; private init; }

        public static Destination Gone(CloseReason reason) => new() { IsGone = true, End = StepResult.Gone(reason) };
    }
}
