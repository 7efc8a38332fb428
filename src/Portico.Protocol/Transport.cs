namespace Portico.Protocol;

/// <summary>How packets are framed inside the obfuscated stream (spec/01 section 3).</summary>
public enum Transport : byte
{
    /// <summary>One length byte in 4-byte words, or 7f and three bytes. Tag ef.</summary>
    Abridged,

    /// <summary>Four length bytes. Tag ee.</summary>
    Intermediate,

    /// <summary>Four length bytes that count the random padding too ("secure", dd). The only framing inside fake TLS.</summary>
    Padded,
}
