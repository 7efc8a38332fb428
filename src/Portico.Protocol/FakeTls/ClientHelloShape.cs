namespace Portico.Protocol.FakeTls;

/// <summary>Which generation of Telegram clients a hello looks like.</summary>
public enum ClientHelloShape : byte
{
    /// <summary>Since 2025: post-quantum key share and ECH, 1716 bytes and the name, or 32, 64 or 96 more.</summary>
    PostQuantum,

    /// <summary>Before: x25519 alone, padded to 517 bytes.</summary>
    Classic517,
}
