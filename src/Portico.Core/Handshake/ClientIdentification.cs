using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Portico.Core.Admission;
using Portico.Core.Admission.Replay;
using Portico.Core.Cover;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Sessions;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Handshake;

/// <summary>Step 1: reads until the judge can tell who is calling. One per loop and state of the settings.</summary>
/// <param name="context">Of the loop.</param>
/// <param name="judges">One for each listener.</param>
/// <param name="cover">Is shown the bytes of a connection that nobody can place in time.</param>
/// <param name="guests">The loop's places at the cover.</param>
/// <param name="replays">What was seen of clients.</param>
/// <param name="clocks">Hears of clients whose time is not ours.</param>
/// <param name="strangers">What strangers may cost.</param>
/// <param name="trials">Turns of the loop's connections that are tried with many secrets.</param>
internal sealed class ClientIdentification(
    LoopContext context, ImmutableArray<Judge> judges, CoverServices cover, CoverGuests guests, ReplayMemory replays, ClientClocks clocks,
    StrangerLimits strangers, TrialQueue trials)
{
    /// <summary>
    /// Completes with a client of ours, a stranger, or somebody who is gone.
    /// What the greeting needs of the hello is kept in the handshake's state.
    /// </summary>
    [AsyncMethodBuilder(typeof(StepMethodBuilder<>))]
    public async ValueTask<StepResult> IdentifyAsync(HandshakeState handshake)
    {
        var acceptedMs = context.Loop.NowMs;
        var deadlineMs = acceptedMs + (long)context.Timeouts.Handshake.TotalMilliseconds;
        var decideMs = (long)cover.Settings.Decide.TotalMilliseconds;
        var mayHaveCover = cover.TakesUndecided;
        handshake.SetDeadline(mayHaveCover ? Math.Min(deadlineMs, acceptedMs + decideMs) : deadlineMs);
        while (true)
        {
            // The cover may have been opened because nobody could tell in time.
            // It hears what was judged so far; what it says settles who is calling.
            if (handshake.Cover is { } way)
            {
                var state = way.Advance();
                if (state == CoverState.Open && !way.HasSpoken) handshake.PassOnToCover();
                if (way.HasSpoken || way.Reason == CloseReason.CoverLimit)
                    return CountUnidentified(handshake, StepResult.Stranger(CloseReason.HandshakeTimeout));
                if (state is CoverState.Failed or CoverState.Refused)
                {
                    handshake.MissCover();
                    mayHaveCover = false;
                    handshake.SetDeadline(deadlineMs);
                }
            }

            switch (handshake.ReadRaw(Judge.MaxRawLength))
            {
                case IoStatus.Ok:
                    // Many secrets take many turns. Meanwhile nothing is read: what the client adds waits in its kernel.
                    var progress = new TrialProgress(handshake.Network, strangers.ExtentFor(handshake.Network));
                    StepResult identified;
                    Verdict verdict;
                    while ((verdict = Decide(handshake, ref progress, out identified)) == Verdict.Trying)
                    {
                        trials.Enter(handshake, progress.Tried);
                        Wake turn;
                        do turn = await handshake.NextEventAsync();
                        while (turn == Wake.Event && handshake.TrialTicket != 0 && !handshake.Session.Client.Failed);
                        var isOver = turn == Wake.Shutdown || (turn == Wake.Deadline && !mayHaveCover);
                        if (!isOver && !handshake.Session.Client.Failed) continue;
                        // Trials that nobody waits for have cost as much as others.
                        strangers.Pay(progress.Network);
                        return CountUnidentified(handshake, StepResult.Gone(isOver ? Reason(turn) : CloseReason.ClientReset));
                    }

                    // While the secrets were tried the cover may have spoken: its answer is the one that counts.
                    if (verdict == Verdict.Ours && handshake.Cover is { HasSpoken: true })
                        return StepResult.Stranger(CloseReason.HandshakeTimeout);
                    if (verdict != Verdict.Undecided) return identified;
                    continue;
                case IoStatus.Eof:
                    return CountUnidentified(
                        handshake,
                        mayHaveCover ? StepResult.Stranger(CloseReason.ClientClosed) : StepResult.Gone(CloseReason.ClientClosed));
                case IoStatus.Reset:
                    return CountUnidentified(handshake, StepResult.Gone(CloseReason.ClientReset));
            }

            var wake = await handshake.NextEventAsync();
            if (wake == Wake.Shutdown || (wake == Wake.Deadline && !mayHaveCover))
                return CountUnidentified(handshake, StepResult.Gone(Reason(wake)));
            if (wake == Wake.Deadline && handshake.Cover is null)
                handshake.OpenCover(cover, guests, cover.Settings.Target!);
        }
    }

    // Nobody knows who it was: it may have been ours.
    private static StepResult CountUnidentified(HandshakeState handshake, StepResult identified)
    {
        if (identified.Reason != CloseReason.Shutdown)
            handshake.Session.CountEarlyEnd(handshake.RawLength == 0 ? EarlyEnd.NoBytes : EarlyEnd.PartialHello);
        return identified;
    }

    private static CloseReason Reason(Wake wake) => wake == Wake.Deadline ? CloseReason.HandshakeTimeout : CloseReason.Shutdown;

    private Verdict Decide(HandshakeState handshake, ref TrialProgress progress, out StepResult identified)
    {
        using var scratch = handshake.Loop.Scratch.Borrow();
        var raw = handshake.Raw.AsSpan(0, handshake.RawLength);
        var verdict = judges[handshake.Session.Listener.Index].Decide(
            raw, scratch.Bytes, handshake.Loop.UnixSeconds, ref progress, out var judgement);
        identified = verdict == Verdict.Stranger ? StepResult.Stranger(judgement.Reason) : default;
        if (verdict is Verdict.Ours or Verdict.Stranger)
            handshake.Session.Identify(judgement.Credential, judgement.HasOtherName);
        if (verdict == Verdict.Stranger && judgement.Credential is null && progress.HasBegun)
            strangers.Pay(progress.Network);
        if (judgement.Reason == CloseReason.TlsTime) NoteTime(judgement.Hello);
        if (verdict == Verdict.Ours) handshake.Result.Remember(judgement);
        return verdict;
    }

    // A hello that was let in before is no client's now but a replay, and says nothing of anybody's clock; nor does one without a clock.
    private void NoteTime(in HelloVerdict hello)
    {
        if (TimeWindow.IsUnsetClock(hello.Timestamp) || replays.Knows(HelloDigest.ReplayFingerprint(hello.Hello.Random)))
            return;
        var ahead = hello.Timestamp - context.Loop.UnixSeconds;
        context.Metrics.ClockDiffers(ahead);
        clocks.Refused(ahead, context.Loop);
    }
}
