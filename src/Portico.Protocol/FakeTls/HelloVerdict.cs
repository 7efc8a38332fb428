namespace Portico.Protocol.FakeTls;

/// <summary>What <see cref="HelloExamination"/> found out. Lives as long as the bytes it was made from.</summary>
public ref struct HelloVerdict
{
    /// <summary>The hello, default unless it is complete and well-formed.</summary>
    public ClientHello Hello { get; set; }

    /// <summary>Raw bytes the hello took; those behind it are the first records that follow it.</summary>
    public int RawConsumed { get; set; }

    /// <summary>Which of the keys signed it, or -1.</summary>
    public int KeyIndex { get; set; }

    /// <summary>When it was signed, Unix seconds; meaningful with a key.</summary>
    public uint Timestamp { get; set; }

    /// <summary>The suite to answer with; meaningful for ours.</summary>
    public ushort CipherSuite { get; set; }

    /// <summary>Why it is a stranger's; None for ours and while undecided.</summary>
    public ProtocolError Error { get; set; }
}
