using System.Buffers.Binary;
using Portico.Protocol.MiddleProxy;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>
/// Payloads of frames as the two sides of a link write them after
/// the handshake, for tests that say themselves what is sent.
/// </summary>
public static class MiddlePayload
{
    /// <summary>Bit of RPC_PROXY_ANS for an error code instead of a message.</summary>
    public const uint SmallErrorFlag = 16;

    /// <summary>A constructor of no type.</summary>
    public static byte[] Unknown => [0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4];

    /// <param name="connectionId">The client.</param>
    /// <param name="packet">A multiple of four bytes.</param>
    /// <param name="flags">What Telegram sets and no proxy needs.</param>
    public static byte[] ProxyAns(long connectionId, ReadOnlySpan<byte> packet, uint flags = 0)
    {
        var payload = new byte[RpcPacket.ProxyAnsHeaderLength + packet.Length];
        RpcPacket.WriteProxyAnsHeader(payload, flags, connectionId);
        packet.CopyTo(payload.AsSpan(RpcPacket.ProxyAnsHeaderLength));
        return payload;
    }

    public static byte[] CloseExt(long connectionId)
    {
        var payload = new byte[RpcPacket.CloseLength];
        RpcPacket.WriteCloseExt(payload, connectionId);
        return payload;
    }

    public static byte[] CloseConn(long connectionId)
    {
        var payload = new byte[RpcPacket.CloseLength];
        RpcPacket.WriteCloseConn(payload, connectionId);
        return payload;
    }

    /// <param name="connectionId">The client.</param>
    /// <param name="confirm">4 bytes, bit 7 of the last one set.</param>
    public static byte[] SimpleAck(long connectionId, ReadOnlySpan<byte> confirm)
    {
        var payload = new byte[RpcPacket.SimpleAckLength];
        RpcPacket.WriteSimpleAck(payload, connectionId, confirm);
        return payload;
    }

    public static byte[] Ping(long pingId)
    {
        var payload = new byte[RpcPacket.PingLength];
        RpcPacket.WritePing(payload, pingId);
        return payload;
    }

    public static byte[] Pong(long pingId)
    {
        var payload = new byte[RpcPacket.PingLength];
        RpcPacket.WritePong(payload, pingId);
        return payload;
    }

    internal static byte[] Nonce(uint keySelector, uint? schema, uint timestamp, ReadOnlySpan<byte> nonce)
    {
        var payload = new byte[RpcNonce.Length];
        RpcNonce.Write(payload, keySelector, timestamp, nonce);
        if (schema is { } other)
            BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(8), other);
        return payload;
    }

    internal static byte[] Handshake(uint flags, ReadOnlySpan<byte> senderPid, ReadOnlySpan<byte> peerPid)
    {
        var payload = new byte[RpcHandshake.Length];
        RpcHandshake.Write(payload, senderPid, peerPid);
        BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(4), flags);
        return payload;
    }

    internal static byte[] HandshakeError(int code, ReadOnlySpan<byte> senderPid)
    {
        var payload = new byte[RpcHandshakeError.Length];
        RpcHandshakeError.Write(payload, code, senderPid);
        return payload;
    }
}
