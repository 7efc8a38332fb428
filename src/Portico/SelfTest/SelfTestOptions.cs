namespace Portico.SelfTest;

/// <summary>What tests of the self test vary; the command line uses the defaults.</summary>
internal sealed record SelfTestOptions
{
    /// <summary>What the stand-in for Telegram does wrong on purpose, to show that the self test would notice.</summary>
    public StandInFault Fault { get; init; }

    /// <summary>Time that each check has. They run side by side in a few waves, so some times this also bounds the whole run.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Ways in which the stand-in can be broken.</summary>
internal enum StandInFault
{
    /// <summary>It behaves like Telegram.</summary>
    None,

    /// <summary>resPQ carries another nonce than the request.</summary>
    WrongNonce,

    /// <summary>One bit in the middle of every echo is flipped.</summary>
    CorruptEcho,

    /// <summary>It reads and never answers.</summary>
    Silent,

    /// <summary>It closes every connection after the header; in middle mode it ends each client with its first packet.</summary>
    HangUp,

    /// <summary>Every answer of a middle proxy has a wrong checksum, which ends its link.</summary>
    WrongChecksum,
}
