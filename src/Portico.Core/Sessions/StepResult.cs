using Portico.Core.Diagnostics;

namespace Portico.Core.Sessions;

/// <summary>How a session ends that will not relay.</summary>
internal enum EndManner : byte
{
    /// <summary>At once: there is no peer left to say goodbye to, or no time.</summary>
    Close,

    /// <summary>At once, but bytes of the client that are unread are read away behind FIN: closing over them would be a reset.</summary>
    CloseUnlessUnread,

    /// <summary>One encrypted alert, then as <see cref="Fin"/>: what a TLS server does with a record that it cannot decrypt.</summary>
    Alert,

    /// <summary>FIN, then whatever still comes is read away until the client closes too.</summary>
    Fin,
}

/// <summary>The outcome of a step of <c>ClientSession.RunAsync</c>. Default: go on with the next one.</summary>
internal readonly record struct StepResult
{
    private enum Kind : byte
    {
        GoOn,
        Stranger,
        End,
    }

    private Kind Outcome { get; init; }

    /// <summary>The next step may begin.</summary>
    public bool GoesOn => Outcome == Kind.GoOn;

    /// <summary>No client of this proxy, or one that may not come in: the cover's.</summary>
    public bool IsStranger => Outcome == Kind.Stranger;

    /// <summary>Why it does not go on.</summary>
    public CloseReason Reason { get; private init; }

    /// <summary>How it ends, if it does.</summary>
    public EndManner Manner { get; private init; }

    public static StepResult Stranger(CloseReason reason) => new() { Outcome = Kind.Stranger, Reason = reason };

    /// <summary>The client left, a deadline passed, or the proxy stops. Behind a deadline bytes of the client's may be unread.</summary>
    public static StepResult Gone(CloseReason reason) =>
        End(reason is CloseReason.HandshakeTimeout or CloseReason.HeaderTimeout ? EndManner.CloseUnlessUnread : EndManner.Close, reason);

    /// <summary>No way to Telegram came about, or the client left meanwhile.</summary>
    public static StepResult NoBackend(CloseReason reason) =>
        End(reason is CloseReason.ClientReset or CloseReason.Shutdown ? EndManner.Close : EndManner.Fin, reason);

    public static StepResult End(EndManner manner, CloseReason reason) => new() { Outcome = Kind.End, Manner = manner, Reason = reason };
}
