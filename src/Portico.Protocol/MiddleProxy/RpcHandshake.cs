using System.Buffers.Binary;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// RPC_HANDSHAKE, the first encrypted message of each side (spec/03 section 2.3):
/// whoever can read it has the right keys. Points into the bytes it was read from.
/// </summary>
/// <remarks>
/// <code>
///  [0..4) constructor | [4..8) flags | [8..20) pid of the sender | [20..32) pid of the receiver
/// </code>
/// </remarks>
public readonly ref struct RpcHandshake
{
    /// <summary>Length of the payload, in bytes.</summary>
    public const int Length = 32;

    /// <summary>Length of a process id (address, port, process, start time), in bytes.</summary>
    public const int PidLength = 12;

    private const int FlagsOffset = 4;
    private const int SenderOffset = 8;
    private const int PeerOffset = 20;

    // The low byte is a version that is 0, and the one known flag asks for CRC-32C.
    // We do not ask, so nobody may answer it. Other bits are let pass.
    private const uint RefusedFlags = 0x800 | 0xff;

    private RpcHandshake(ReadOnlySpan<byte> payload)
    {
        SenderPid = payload.Slice(SenderOffset, PidLength);
        PeerPid = payload.Slice(PeerOffset, PidLength);
    }

    /// <summary>What a proxy writes for both pids. Middle proxies accept it, and it tells them nothing of the machine.</summary>
    public static ReadOnlySpan<byte> AnonymousPid => "IPIPPRPDTIME"u8;

    /// <summary>12 bytes that name the sender.</summary>
    public ReadOnlySpan<byte> SenderPid { get; }

    /// <summary>12 bytes that name the receiver.</summary>
    public ReadOnlySpan<byte> PeerPid { get; }

    /// <summary>Writes the payload, flags 0.</summary>
    /// <param name="destination">Receives 32 bytes.</param>
    /// <param name="senderPid">12 bytes: the proxy sends <see cref="AnonymousPid"/>.</param>
    /// <param name="peerPid">12 bytes: a server answers with the proxy's <see cref="SenderPid"/>.</param>
    public static void Write(Span<byte> destination, ReadOnlySpan<byte> senderPid, ReadOnlySpan<byte> peerPid)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, RpcConstructors.Handshake);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[FlagsOffset..], 0);
        senderPid[..PidLength].CopyTo(destination[SenderOffset..]);
        peerPid[..PidLength].CopyTo(destination[PeerOffset..]);
    }

    /// <summary>Reads a message, as the server does with the proxy's.</summary>
    /// <param name="payload">The whole payload of the frame with sequence number -1.</param>
    /// <param name="message">The two pids.</param>
    /// <param name="error">
    /// Unless true: <see cref="MiddleProxyError.HandshakeRefused"/>,
    /// <see cref="MiddleProxyError.UnexpectedMessage"/> or <see cref="MiddleProxyError.WrongHandshakeFlags"/>.
    /// </param>
    public static bool TryRead(ReadOnlySpan<byte> payload, out RpcHandshake message, out MiddleProxyError error)
    {
        message = default;
        error = MiddleProxyError.None;
        if (RpcHandshakeError.TryRead(payload, out _))
            error = MiddleProxyError.HandshakeRefused;
        else if (payload.Length != Length || BinaryPrimitives.ReadUInt32LittleEndian(payload) != RpcConstructors.Handshake)
            error = MiddleProxyError.UnexpectedMessage;
        else if ((BinaryPrimitives.ReadUInt32LittleEndian(payload[FlagsOffset..]) & RefusedFlags) != 0)
            error = MiddleProxyError.WrongHandshakeFlags;
        else
            message = new RpcHandshake(payload);

        return error == MiddleProxyError.None;
    }

    /// <summary>Reads the server's answer, as the proxy does: it must be meant for the pid that the proxy has sent.</summary>
    /// <param name="payload">The whole payload of the frame with sequence number -1.</param>
    /// <param name="sentPid">The proxy's own pid, 12 bytes.</param>
    /// <param name="error">Unless true: as in <see cref="TryRead"/>, or <see cref="MiddleProxyError.WrongPeerPid"/>.</param>
    public static bool TryReadAnswer(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> sentPid, out MiddleProxyError error)
    {
        if (!TryRead(payload, out var message, out error))
            return false;
        if (message.PeerPid.SequenceEqual(sentPid))
            return true;

        error = MiddleProxyError.WrongPeerPid;
        return false;
    }
}
