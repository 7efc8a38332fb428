using System.Buffers.Binary;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// What goes with each packet of a client to the middle proxy.
/// Points into the bytes it was read from or is to be written from.
/// </summary>
public readonly ref struct RpcProxyReqHeader
{
    /// <summary>See <see cref="RpcProxyReqFlags"/>.</summary>
    public uint Flags { get; init; }

    /// <summary>The proxy's number for this client, unique while the link lives.</summary>
    public long ConnectionId { get; init; }

    /// <summary>The client's address, 16 bytes: <see cref="RpcAddress"/>.</summary>
    public ReadOnlySpan<byte> ClientAddress { get; init; }

    /// <summary>The client's port.</summary>
    public ushort ClientPort { get; init; }

    /// <summary>The proxy's address, 16 bytes: the public one of the link.</summary>
    public ReadOnlySpan<byte> ProxyAddress { get; init; }

    /// <summary>The proxy's port: the local one of the link.</summary>
    public ushort ProxyPort { get; init; }

    /// <summary>16 bytes, or none.</summary>
    public ReadOnlySpan<byte> AdTag { get; init; }
}

/// <summary>RPC_PROXY_REQ: one packet of a client on its way to Telegram (spec/03 section 5).</summary>
/// <remarks>
/// <code>
///  [0..4) constructor | [4..8) flags | [8..16) connection id | [16..36) client: address, port | [36..56) proxy: address, port
///  with an ad tag:  [56..60) length of the extra block = 24 | [60..64) constructor of the tag | [64..84) tag as TL string
///  then the packet
/// </code>
/// </remarks>
public static class RpcProxyReq
{
    /// <summary>What stands before the packet without an ad tag, in bytes.</summary>
    public const int HeaderLength = 56;

    /// <summary>What stands before the packet with an ad tag, in bytes.</summary>
    public const int HeaderLengthWithAdTag = HeaderLength + WordLength + TagBlockLength;

    private const int WordLength = 4;
    private const int FlagsOffset = 4;
    private const int ConnectionOffset = 8;
    private const int ClientOffset = 16;
    private const int ProxyOffset = ClientOffset + RpcAddress.EndpointLength;
    private const int TagBlockLength = WordLength + 20;
    private const int HttpQueryStrings = 3;

    /// <summary>How many bytes <see cref="WriteHeader"/> will write.</summary>
    public static int HeaderLengthFor(bool hasAdTag) => hasAdTag ? HeaderLengthWithAdTag : HeaderLength;

    /// <summary>Writes everything that stands before the packet.</summary>
    /// <param name="destination">Receives 56 or 84 bytes; the packet, a multiple of four bytes, follows.</param>
    /// <param name="header">Its flags and its ad tag must agree.</param>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ArgumentException">
    /// The flags speak of an extra block that is not there or cannot be written, or say nothing of one that is: our bug.
    /// </exception>
    public static int WriteHeader(Span<byte> destination, in RpcProxyReqHeader header)
    {
        var hasAdTag = !header.AdTag.IsEmpty;
        if (hasAdTag != ((header.Flags & RpcProxyReqFlags.HasAdTag) != 0) || (header.Flags & RpcProxyReqFlags.HasHttpQueryInfo) != 0)
            throw new ArgumentException("Flags and extra block disagree.", nameof(header));
        if (hasAdTag && header.AdTag.Length != AdTag.Length)
            throw new ArgumentException("An ad tag has 16 bytes.", nameof(header));

        BinaryPrimitives.WriteUInt32LittleEndian(destination, RpcConstructors.ProxyReq);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[FlagsOffset..], header.Flags);
        BinaryPrimitives.WriteInt64LittleEndian(destination[ConnectionOffset..], header.ConnectionId);
        RpcAddress.WriteEndpoint(destination[ClientOffset..], header.ClientAddress, header.ClientPort);
        RpcAddress.WriteEndpoint(destination[ProxyOffset..], header.ProxyAddress, header.ProxyPort);
        if (!hasAdTag)
            return HeaderLength;

        var extra = destination[HeaderLength..];
        BinaryPrimitives.WriteInt32LittleEndian(extra, TagBlockLength);
        BinaryPrimitives.WriteUInt32LittleEndian(extra[WordLength..], RpcConstructors.ProxyTag);
        TlString.Write(extra[(2 * WordLength)..], header.AdTag);
        return HeaderLengthWithAdTag;
    }

    /// <summary>The server's side.</summary>
    /// <param name="payload">The whole payload of a frame.</param>
    /// <param name="header">Everything but the packet.</param>
    /// <param name="packetOffset">Where the packet begins; it reaches to the end of the payload.</param>
    /// <returns>False if the payload is something else or contradicts itself.</returns>
    public static bool TryRead(ReadOnlySpan<byte> payload, out RpcProxyReqHeader header, out int packetOffset)
    {
        header = default;
        packetOffset = HeaderLength;
        if (payload.Length < HeaderLength || BinaryPrimitives.ReadUInt32LittleEndian(payload) != RpcConstructors.ProxyReq)
            return false;
        if (!RpcAddress.TryReadEndpoint(payload[ClientOffset..], out var clientAddress, out var clientPort)
            || !RpcAddress.TryReadEndpoint(payload[ProxyOffset..], out var proxyAddress, out var proxyPort))
            return false;

        var flags = BinaryPrimitives.ReadUInt32LittleEndian(payload[FlagsOffset..]);
        ReadOnlySpan<byte> adTag = default;
        if ((flags & (RpcProxyReqFlags.HasAdTag | RpcProxyReqFlags.HasHttpQueryInfo)) != 0)
        {
            if (!TryTakeExtraBlock(payload[HeaderLength..], out var block) || !TryReadExtraBlock(block, out adTag))
                return false;
            packetOffset += WordLength + block.Length;
        }
        if (adTag.IsEmpty == ((flags & RpcProxyReqFlags.HasAdTag) != 0))
            return false;

        header = new RpcProxyReqHeader
        {
            Flags = flags,
            ConnectionId = BinaryPrimitives.ReadInt64LittleEndian(payload[ConnectionOffset..]),
            ClientAddress = clientAddress,
            ClientPort = clientPort,
            ProxyAddress = proxyAddress,
            ProxyPort = proxyPort,
            AdTag = adTag,
        };
        return true;
    }

    private static bool TryTakeExtraBlock(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> block)
    {
        block = default;
        if (bytes.Length < WordLength)
            return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        bytes = bytes[WordLength..];
        if (length % WordLength != 0 || length > (uint)bytes.Length)
            return false;
        block = bytes[..(int)length];
        return true;
    }

    // Every round takes a word at least, so a hostile block ends.
    private static bool TryReadExtraBlock(ReadOnlySpan<byte> block, out ReadOnlySpan<byte> adTag)
    {
        adTag = default;
        while (block.Length >= WordLength)
        {
            var constructor = BinaryPrimitives.ReadUInt32LittleEndian(block);
            block = block[WordLength..];
            switch (constructor)
            {
                case RpcConstructors.ProxyTag:
                    if (!TlString.TryTake(ref block, out adTag) || adTag.Length != AdTag.Length)
                        return false;
                    break;
                case RpcConstructors.HttpQueryInfo:
                    for (var left = HttpQueryStrings; left > 0; left--)
                    {
                        if (!TlString.TryTake(ref block, out _))
                            return false;
                    }
                    break;
                default:
                    return false;
            }
        }
        return true;
    }
}
