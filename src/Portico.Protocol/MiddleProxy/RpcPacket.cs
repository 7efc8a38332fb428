using System.Buffers.Binary;

namespace Portico.Protocol.MiddleProxy;

/// <summary>What a payload after the handshake is (spec/03 section 4).</summary>
public enum RpcPacketKind : byte
{
    /// <summary>
    /// None of the others: to be logged and ignored, the link goes on.
    /// A known constructor with a length it does not have is unknown, too.
    /// </summary>
    Unknown,

    /// <summary>RPC_PROXY_ANS: <see cref="RpcPacket.Body"/> is a packet for the client.</summary>
    ProxyAns,

    /// <summary>RPC_CLOSE_EXT: the server ends this client.</summary>
    CloseExt,

    /// <summary>RPC_CLOSE_CONN: the proxy has lost this client. From a server it means the same as <see cref="CloseExt"/>.</summary>
    CloseConn,

    /// <summary>RPC_SIMPLE_ACK: <see cref="RpcPacket.Body"/> is a quick acknowledgement for the client, four bytes.</summary>
    SimpleAck,

    /// <summary>RPC_PING, to be answered at once with the same <see cref="RpcPacket.PingId"/>.</summary>
    Ping,

    /// <summary>RPC_PONG.</summary>
    Pong,

    /// <summary>RPC_PROXY_REQ, which <see cref="RpcProxyReq.TryRead"/> takes apart.</summary>
    ProxyReq,
}

/// <summary>
/// One payload after the handshake, either direction.
/// Points into the bytes it was read from; <see langword="default"/> is an unknown one.
/// </summary>
public readonly ref struct RpcPacket
{
    /// <summary>Length of RPC_CLOSE_EXT and RPC_CLOSE_CONN, in bytes.</summary>
    public const int CloseLength = 12;

    /// <summary>Length of RPC_PING and RPC_PONG, in bytes.</summary>
    public const int PingLength = 12;

    /// <summary>Length of RPC_SIMPLE_ACK, in bytes.</summary>
    public const int SimpleAckLength = 16;

    /// <summary>What stands before the client's packet in RPC_PROXY_ANS, in bytes.</summary>
    public const int ProxyAnsHeaderLength = 16;

    private const int FieldOffset = 4;
    private const int SecondFieldOffset = 8;
    private const int ConfirmOffset = 12;

    /// <summary>Which of the fields mean something.</summary>
    public RpcPacketKind Kind { get; private init; }

    /// <summary>The first four bytes, for the log; 0 if there are not so many.</summary>
    public uint Constructor { get; private init; }

    /// <summary>The client it is about, as the proxy has numbered it. All kinds but pings and unknown ones have it.</summary>
    public long ConnectionId { get; private init; }

    /// <summary>Flags of RPC_PROXY_ANS, which a proxy has no use for, or RPC_PROXY_REQ: <see cref="RpcProxyReqFlags"/>.</summary>
    public uint Flags { get; private init; }

    /// <summary>What is for the client: a packet, or the confirm value of a quick acknowledgement.</summary>
    public ReadOnlySpan<byte> Body { get; private init; }

    /// <summary>What RPC_PONG must repeat.</summary>
    public long PingId { get; private init; }

    /// <summary>
    /// Reads the whole payload of a frame. Nothing is refused:
    /// what cannot be read is <see cref="RpcPacketKind.Unknown"/>.
    /// </summary>
    public static RpcPacket Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < FieldOffset)
            return default;

        var constructor = BinaryPrimitives.ReadUInt32LittleEndian(payload);
        return (constructor, payload.Length) switch
        {
            (RpcConstructors.ProxyAns, >= ProxyAnsHeaderLength) =>
                WithFlags(RpcPacketKind.ProxyAns, constructor, payload, payload[ProxyAnsHeaderLength..]),
            (RpcConstructors.ProxyReq, >= RpcProxyReq.HeaderLength) =>
                WithFlags(RpcPacketKind.ProxyReq, constructor, payload, body: default),
            (RpcConstructors.CloseExt, CloseLength) => OfConnection(RpcPacketKind.CloseExt, constructor, payload, body: default),
            (RpcConstructors.CloseConn, CloseLength) => OfConnection(RpcPacketKind.CloseConn, constructor, payload, body: default),
            (RpcConstructors.SimpleAck, SimpleAckLength) =>
                OfConnection(RpcPacketKind.SimpleAck, constructor, payload, payload[ConfirmOffset..]),
            (RpcConstructors.Ping, PingLength) => OfPing(RpcPacketKind.Ping, constructor, payload),
            (RpcConstructors.Pong, PingLength) => OfPing(RpcPacketKind.Pong, constructor, payload),
            _ => new RpcPacket { Constructor = constructor },
        };
    }

    /// <summary>Writes what stands before the client's packet in RPC_PROXY_ANS.</summary>
    /// <param name="destination">Receives 16 bytes; the packet, a multiple of four bytes, follows.</param>
    /// <param name="flags">0, or what Telegram's servers set: 8 flush, 16 small error packet.</param>
    /// <param name="connectionId">The client.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteProxyAnsHeader(Span<byte> destination, uint flags, long connectionId)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, RpcConstructors.ProxyAns);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[FieldOffset..], flags);
        BinaryPrimitives.WriteInt64LittleEndian(destination[SecondFieldOffset..], connectionId);
        return ProxyAnsHeaderLength;
    }

    /// <summary>Writes RPC_CLOSE_EXT, the server's word for the end of a client.</summary>
    /// <param name="destination">Receives 12 bytes.</param>
    /// <param name="connectionId">The client.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteCloseExt(Span<byte> destination, long connectionId) =>
        WriteField(destination, RpcConstructors.CloseExt, connectionId);

    /// <summary>Writes RPC_CLOSE_CONN, the proxy's word for the end of a client.</summary>
    /// <inheritdoc cref="WriteCloseExt"/>
    public static int WriteCloseConn(Span<byte> destination, long connectionId) =>
        WriteField(destination, RpcConstructors.CloseConn, connectionId);

    /// <summary>Writes RPC_SIMPLE_ACK.</summary>
    /// <param name="destination">Receives 16 bytes.</param>
    /// <param name="connectionId">The client.</param>
    /// <param name="confirm">4 bytes, as <see cref="Framing.QuickAckToken"/> takes them.</param>
    /// <returns>Bytes written.</returns>
    public static int WriteSimpleAck(Span<byte> destination, long connectionId, ReadOnlySpan<byte> confirm)
    {
        WriteField(destination, RpcConstructors.SimpleAck, connectionId);
        confirm[..(SimpleAckLength - ConfirmOffset)].CopyTo(destination[ConfirmOffset..]);
        return SimpleAckLength;
    }

    /// <summary>Writes RPC_PING.</summary>
    /// <param name="destination">Receives 12 bytes.</param>
    /// <param name="pingId">Any number.</param>
    /// <returns>Bytes written.</returns>
    public static int WritePing(Span<byte> destination, long pingId) => WriteField(destination, RpcConstructors.Ping, pingId);

    /// <summary>Writes RPC_PONG.</summary>
    /// <param name="destination">Receives 12 bytes.</param>
    /// <param name="pingId">The number of the ping.</param>
    /// <returns>Bytes written.</returns>
    public static int WritePong(Span<byte> destination, long pingId) => WriteField(destination, RpcConstructors.Pong, pingId);

    private static int WriteField(Span<byte> destination, uint constructor, long field)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, constructor);
        BinaryPrimitives.WriteInt64LittleEndian(destination[FieldOffset..], field);
        return FieldOffset + sizeof(long);
    }

    private static RpcPacket WithFlags(RpcPacketKind kind, uint constructor, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> body) => new()
    {
        Kind = kind,
        Constructor = constructor,
        Flags = BinaryPrimitives.ReadUInt32LittleEndian(payload[FieldOffset..]),
        ConnectionId = BinaryPrimitives.ReadInt64LittleEndian(payload[SecondFieldOffset..]),
        Body = body,
    };

    private static RpcPacket OfConnection(
        RpcPacketKind kind, uint constructor, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> body) =>
        new()
        {
            Kind = kind,
            Constructor = constructor,
            ConnectionId = BinaryPrimitives.ReadInt64LittleEndian(payload[FieldOffset..]),
            Body = body,
        };

    private static RpcPacket OfPing(RpcPacketKind kind, uint constructor, ReadOnlySpan<byte> payload) => new()
    {
        Kind = kind,
        Constructor = constructor,
        PingId = BinaryPrimitives.ReadInt64LittleEndian(payload[FieldOffset..]),
    };
}
