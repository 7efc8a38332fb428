namespace Portico.TestKit.Telegram.Middle;

/// <summary>
/// What a middle proxy does to a link instead of what is due. It says nothing afterwards, but goes on reading.
/// The frames are damaged before they are encrypted, so that the proxy meets exactly the fault that is named.
/// </summary>
public enum MiddleFault
{
    /// <summary>Nothing, for ever.</summary>
    Silence,

    /// <summary>FIN.</summary>
    Fin,

    /// <summary>RST.</summary>
    Reset,

    /// <summary>A frame with one bit of its checksum turned.</summary>
    WrongChecksum,

    /// <summary>A frame with the number of the next one.</summary>
    WrongSequence,

    /// <summary>A frame that claims 17 bytes.</summary>
    UnalignedLength,

    /// <summary>A frame that claims 8 bytes, less than its own header and checksum.</summary>
    ShortLength,

    /// <summary>A frame that claims 16 MiB and four bytes, one word more than allowed.</summary>
    LongLength,

    /// <summary>A frame that claims fffffffc bytes, which as a signed number is -4.</summary>
    HugeLength,

    /// <summary>64 random bytes, not encrypted.</summary>
    Garbage,

    /// <summary>A right frame with a constructor that nobody knows.</summary>
    UnknownConstructor,

    /// <summary>A right frame with no payload.</summary>
    EmptyPayload,

    /// <summary>The first half of the frame that is due, then nothing.</summary>
    HalfFrame,

    /// <summary>The first half of the frame that is due, then FIN.</summary>
    HalfFrameThenFin,

    /// <summary>The first half of the frame that is due, then RST.</summary>
    HalfFrameThenReset,
}
