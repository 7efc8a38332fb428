using System.Buffers.Binary;

namespace Portico.Protocol.MiddleProxy;

/// <summary>RPC_HANDSHAKE_ERROR, a server's refusal (spec/03 section 2.3). Points into the bytes it was read from.</summary>
public readonly ref struct RpcHandshakeError
{
    /// <summary>Length of the payload, in bytes: constructor, code, pid of the sender.</summary>
    public const int Length = 20;

    private const int CodeOffset = 4;
    private const int SenderOffset = 8;

    private RpcHandshakeError(ReadOnlySpan<byte> payload)
    {
        Code = BinaryPrimitives.ReadInt32LittleEndian(payload[CodeOffset..]);
        SenderPid = payload[SenderOffset..];
    }

    /// <summary>Known: -3 length, -4 and -6 pids, -7 flags, -8 kind of checksum.</summary>
    public int Code { get; }

    /// <summary>12 bytes that name the server.</summary>
    public ReadOnlySpan<byte> SenderPid { get; }

    /// <summary>Writes the payload.</summary>
    /// <param name="destination">Receives 20 bytes.</param>
    /// <param name="code">Negative.</param>
    /// <param name="senderPid">12 bytes.</param>
    public static void Write(Span<byte> destination, int code, ReadOnlySpan<byte> senderPid)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, RpcConstructors.HandshakeError);
        BinaryPrimitives.WriteInt32LittleEndian(destination[CodeOffset..], code);
        senderPid[..RpcHandshake.PidLength].CopyTo(destination[SenderOffset..]);
    }

    /// <summary>False if the payload is something else.</summary>
    /// <param name="payload">The whole payload of a frame.</param>
    /// <param name="message">The refusal.</param>
    public static bool TryRead(ReadOnlySpan<byte> payload, out RpcHandshakeError message)
    {
        var isError = payload.Length == Length && BinaryPrimitives.ReadUInt32LittleEndian(payload) == RpcConstructors.HandshakeError;
        message = isError ? new RpcHandshakeError(payload) : default;
        return isError;
    }
}
