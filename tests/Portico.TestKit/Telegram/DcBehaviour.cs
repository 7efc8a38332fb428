namespace Portico.TestKit.Telegram;

/// <summary>What is wrong with a data centre. The default: nothing.</summary>
public sealed record DcBehaviour
{
    /// <summary>An honest data centre.</summary>
    public static readonly DcBehaviour Good = new();

    /// <summary>Nothing listens on its port.</summary>
    public bool Refuses { get; init; }

    /// <summary>Reads everything and never answers.</summary>
    public bool IsSilent { get; init; }

    /// <summary>Accepts, then reads nothing at all.</summary>
    public bool NeverReads { get; init; }

    /// <summary>RST as soon as it has accepted.</summary>
    public bool ResetsAtOnce { get; init; }

    /// <summary>
    /// Understands nothing and answers nothing; what came behind
    /// the header is kept in <see cref="DcConnection.Tape"/>, decrypted.
    /// </summary>
    public bool IsTape { get; init; }

    /// <summary>FIN once so many bytes have come, the 64 of the header included.</summary>
    public long? FinishesAfter { get; init; }

    /// <summary>RST once so many bytes have come, the 64 of the header included.</summary>
    public long? ResetsAfter { get; init; }
}
