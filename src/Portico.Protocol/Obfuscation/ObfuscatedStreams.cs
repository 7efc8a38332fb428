using Portico.Protocol.Crypto;

namespace Portico.Protocol.Obfuscation;

/// <summary>
/// Both directions of an obfuscated connection just after its header:
/// the same values on either side of it (spec/01 section 2).
/// </summary>
public struct ObfuscatedStreams
{
    /// <summary>Client to server, at position 64: the header itself took the first 64 bytes.</summary>
    public AesCtr ClientToServer;

    /// <summary>Server to client, at position 0.</summary>
    public AesCtr ServerToClient;

    /// <summary>
    /// Where <see cref="ServerToClient"/> began. Given to
    /// <see cref="ObfuscatedHeader.WriteToDc(Span{byte}, Transport, short, in AesKeyIv, out AesCtr)"/>
    /// it makes the DC speak the client's own stream.
    /// </summary>
    public AesKeyIv ServerToClientKey;
}
