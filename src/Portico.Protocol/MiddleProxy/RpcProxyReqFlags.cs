using System.Diagnostics;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// The flags of RPC_PROXY_REQ: what the middle proxy must know of a client's
/// packet to treat it as if it came directly (spec/03 section 5.1).
/// </summary>
public static class RpcProxyReqFlags
{
    /// <summary>The message inside is one of those that are exchanged before there is a key.</summary>
    public const uint NotEncrypted = 0x2;

    /// <summary>The extra block tells of an HTTP request. Portico never sets it.</summary>
    public const uint HasHttpQueryInfo = 0x4;

    /// <summary>The extra block holds an ad tag.</summary>
    public const uint HasAdTag = 0x8;

    /// <summary>Set in every packet of this version of the protocol.</summary>
    public const uint Magic = 0x1000;

    /// <summary>The client came through an obfuscated stream; always so.</summary>
    public const uint Obfuscated = 0x20000;

    /// <summary>The client pads: the packet may have words of padding behind the message. Comes with <see cref="Intermediate"/>.</summary>
    public const uint Padded = 0x8000000;

    /// <summary>The client's framing counts in bytes.</summary>
    public const uint Intermediate = 0x20000000;

    /// <summary>The client's framing counts in words.</summary>
    public const uint Abridged = 0x40000000;

    /// <summary>The client wants RPC_SIMPLE_ACK for this packet.</summary>
    public const uint QuickAck = 0x80000000;

    // auth_key_id, zero where there is no key yet.
    private const int KeyIdLength = 8;

    /// <summary>The flags of one packet.</summary>
    /// <param name="transport">The client's framing.</param>
    /// <param name="hasAdTag">Whether an ad tag goes with it.</param>
    /// <param name="isEncrypted">What <see cref="IsEncrypted"/> says of the packet.</param>
    /// <param name="quickAck">Whether the client asked for a quick acknowledgement.</param>
    public static uint For(Transport transport, bool hasAdTag, bool isEncrypted, bool quickAck)
    {
        var framing = transport switch
        {
            Transport.Abridged => Abridged,
            Transport.Intermediate => Intermediate,
            Transport.Padded => Intermediate | Padded,
            _ => throw new UnreachableException($"Transport {(int)transport} has no flags"),
        };
        return Magic | Obfuscated | framing
            | (hasAdTag ? HasAdTag : 0)
            | (isEncrypted ? 0 : NotEncrypted)
            | (quickAck ? QuickAck : 0);
    }

    /// <summary>Whether a client's packet names a key. A packet too short to say so counts as encrypted.</summary>
    public static bool IsEncrypted(ReadOnlySpan<byte> packet) =>
        packet.Length < KeyIdLength || packet[..KeyIdLength].ContainsAnyExcept((byte)0);

    /// <summary>The server's side: the client's framing, in which it will want its answers.</summary>
    public static bool TryGetTransport(uint flags, out Transport transport)
    {
        var framing = flags & (Abridged | Intermediate | Padded);
        transport = framing switch
        {
            Abridged => Transport.Abridged,
            Intermediate => Transport.Intermediate,
            _ => Transport.Padded,
        };
        return framing is Abridged or Intermediate or (Intermediate | Padded);
    }
}
