using System.Runtime.CompilerServices;
using Portico.Core.Clients;
using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>Step 1: reads until the judge can tell who is calling.</summary>
internal static class Caller
{
    /// <summary>Completes with a client of ours, a stranger, or somebody who is gone. What the greeting needs of the hello is kept in the handshake's state.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<Identified> IdentifyAsync(HandshakeState handshake)
    {
        var loop = handshake.Session.Loop;
        handshake.SetDeadline(loop.Loop.NowMs + (long)loop.Timeouts.Handshake.TotalMilliseconds);
        while (true)
        {
            switch (handshake.ReadRaw(Judge.MaxRawLength))
            {
                case IoStatus.Ok:
                    if (Decide(handshake, out var identified)) return identified;
                    continue;
                case IoStatus.Eof:
                    return Identified.Gone(CloseReason.ClientClosed);
                case IoStatus.Reset:
                    return Identified.Gone(CloseReason.ClientReset);
            }

            switch (await handshake.NextEventAsync())
            {
                case Wake.Deadline:
                    return Identified.Gone(CloseReason.HandshakeTimeout);
                case Wake.Shutdown:
                    return Identified.Gone(CloseReason.Shutdown);
            }
        }
    }

    private static bool Decide(HandshakeState handshake, out Identified identified)
    {
        var session = handshake.Session;
        using var scratch = handshake.Loop.Scratch.Borrow();
        var raw = handshake.Raw.AsSpan(0, handshake.RawLength);
        var verdict = session.Loop.JudgeOf(session.Listener).Decide(raw, scratch.Bytes, handshake.Loop.UnixSeconds, out var judgement);
        identified = verdict == Verdict.Stranger ? Identified.Stranger(judgement.Reason) : default;
        if (verdict == Verdict.Ours) handshake.Client.Remember(judgement);
        return verdict != Verdict.Undecided;
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
