using System.Runtime.CompilerServices;
using Portico.Core.Cover;
using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>Step 1: reads until the judge can tell who is calling.</summary>
internal static class ClientIdentification
{
    /// <summary>Completes with a client of ours, a stranger, or somebody who is gone. What the greeting needs of the hello is kept in the handshake's state.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<Identified> IdentifyAsync(HandshakeState handshake)
    {
        var loop = handshake.Session.Loop;
        var deadlineMs = loop.Loop.NowMs + (long)loop.Timeouts.Handshake.TotalMilliseconds;
        var decideMs = (long)loop.Proxy.Cover.Settings.Decide.TotalMilliseconds;
        var mayHaveCover = loop.Proxy.Cover.TakesUndecided;
        handshake.SetDeadline(mayHaveCover ? Math.Min(deadlineMs, loop.Loop.NowMs + decideMs) : deadlineMs);
        while (true)
        {
            // The cover may have been opened because nobody could tell in time. It hears what was judged so far; what it says settles who is calling.
            if (handshake.Cover is { } cover)
            {
                var state = cover.Advance();
                if (state == CoverState.Open && !cover.HasSpoken) cover.PassOn(handshake.Raw.AsSpan(0, handshake.RawLength));
                if (cover.HasSpoken || cover.Reason == CloseReason.CoverLimit) return Untold(handshake, Identified.Stranger(CloseReason.HandshakeTimeout));
                if (state is CoverState.Failed or CoverState.Refused)
                {
                    handshake.DropCover();
                    mayHaveCover = false;
                    handshake.SetDeadline(deadlineMs);
                }
            }

            switch (handshake.ReadRaw(Judge.MaxRawLength))
            {
                case IoStatus.Ok:
                    // Many secrets take many turns. Meanwhile nothing is read: what the client adds waits in its kernel.
                    var progress = default(TrialProgress);
                    Identified identified;
                    Verdict verdict;
                    while ((verdict = Decide(handshake, ref progress, out identified)) == Verdict.Trying)
                    {
                        var turn = await handshake.YieldAsync();
                        if (turn == Wake.Shutdown || (turn == Wake.Deadline && !mayHaveCover)) return Untold(handshake, Identified.Gone(Reason(turn)));
                        if (handshake.Session.Client.Failed) return Untold(handshake, Identified.Gone(CloseReason.ClientReset));
                    }

                    // While the secrets were tried the cover may have spoken: its answer is the one that counts.
                    if (verdict == Verdict.Ours && handshake.Cover is { HasSpoken: true }) return Identified.Stranger(CloseReason.HandshakeTimeout);
                    if (verdict != Verdict.Undecided) return identified;
                    continue;
                case IoStatus.Eof:
                    return Untold(handshake, mayHaveCover ? Identified.Stranger(CloseReason.ClientClosed) : Identified.Gone(CloseReason.ClientClosed));
                case IoStatus.Reset:
                    return Untold(handshake, Identified.Gone(CloseReason.ClientReset));
            }

            var wake = await handshake.NextEventAsync();
            if (wake == Wake.Shutdown || (wake == Wake.Deadline && !mayHaveCover)) return Untold(handshake, Identified.Gone(Reason(wake)));
            if (wake == Wake.Deadline && handshake.Cover is null) handshake.Cover = CoverConnection.Open(handshake, loop.Proxy.Settings.Cover.Target!);
        }
    }

    // Nobody knows who it was: it may have been ours.
    private static Identified Untold(HandshakeState handshake, Identified identified)
    {
        if (identified.Reason != CloseReason.Shutdown) handshake.Session.CountEarlyEnd(handshake.RawLength == 0 ? EarlyEnd.NoBytes : EarlyEnd.PartialHello);
        return identified;
    }

    private static CloseReason Reason(Wake wake) => wake == Wake.Deadline ? CloseReason.HandshakeTimeout : CloseReason.Shutdown;

    private static Verdict Decide(HandshakeState handshake, ref TrialProgress progress, out Identified identified)
    {
        var session = handshake.Session;
        using var scratch = handshake.Loop.Scratch.Borrow();
        var raw = handshake.Raw.AsSpan(0, handshake.RawLength);
        var verdict = session.Loop.JudgeOf(session.Listener).Decide(raw, scratch.Bytes, handshake.Loop.UnixSeconds, ref progress, out var judgement);
        identified = verdict == Verdict.Stranger ? Identified.Stranger(judgement.Reason) : default;
        if (verdict == Verdict.Ours) handshake.Client.Remember(judgement);
        return verdict;
    }
}

/// <summary>The outcome of step 1. Default: a client of ours.</summary>
internal readonly record struct Identified
{
    /// <summary>The connection ended before anybody could tell.</summary>
    public bool IsGone { get; private init; }

    /// <summary>Not ours.</summary>
    public bool IsStranger { get; private init; }

    /// <summary>Why it is gone or a stranger.</summary>
    public CloseReason Reason { get; private init; }

    public static Identified Gone(CloseReason reason) => new() { IsGone = true, Reason = reason };

    public static Identified Stranger(CloseReason reason) => new() { IsStranger = true, Reason = reason };
}
