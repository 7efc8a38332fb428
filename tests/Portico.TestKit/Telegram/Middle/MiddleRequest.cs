using System.Net;
using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>One RPC_PROXY_REQ, as it came.</summary>
/// <param name="ConnectionId">The proxy's number for the client.</param>
/// <param name="Flags">See <see cref="RpcProxyReqFlags"/>.</param>
/// <param name="Client">Where the client is, as the proxy says.</param>
/// <param name="Proxy">Where the proxy is, as the proxy says.</param>
/// <param name="AdTag">The ad tag, if there was one.</param>
/// <param name="Packet">The client's packet; empty with <see cref="MiddleBehaviour.IsForgetful"/>.</param>
/// <param name="PacketLength">Its length in bytes.</param>
/// <param name="IsLate">Came after this side had finished sending: no answer can follow.</param>
public sealed record MiddleRequest(
    long ConnectionId, uint Flags, IPEndPoint Client, IPEndPoint Proxy, AdTag? AdTag, byte[] Packet, int PacketLength, bool IsLate)
{
    /// <summary>The client's framing, as the flags tell it; padded if they make no sense, which is a violation.</summary>
    public Transport Transport
    {
        get
        {
            RpcProxyReqFlags.TryGetTransport(Flags, out var transport);
            return transport;
        }
    }

    public bool WantsQuickAck => (Flags & RpcProxyReqFlags.QuickAck) != 0;

    /// <summary>
    /// What a quick acknowledgement of a packet says here:
    /// bytes of its SHA-256, the last one marked (spec/01 section 3.4).
    /// </summary>
    public static byte[] ConfirmOf(ReadOnlySpan<byte> packet)
    {
        var confirm = SHA256.HashData(packet)[..4];
        confirm[3] |= 0x80;
        return confirm;
    }
}
