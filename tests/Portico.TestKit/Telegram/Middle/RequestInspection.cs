using System.Net;
using Portico.Protocol.MiddleProxy;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>Looks for what no proxy may write into RPC_PROXY_REQ (spec/03 section 5).</summary>
internal static class RequestInspection
{
    private const uint KnownFlags =
        RpcProxyReqFlags.NotEncrypted | RpcProxyReqFlags.HasAdTag | RpcProxyReqFlags.Magic | RpcProxyReqFlags.Obfuscated
        | RpcProxyReqFlags.Padded | RpcProxyReqFlags.Intermediate | RpcProxyReqFlags.Abridged | RpcProxyReqFlags.QuickAck;

    /// <param name="request">As it came.</param>
    /// <param name="packet">The client's packet.</param>
    /// <param name="proxy">Where the proxy is: the address of the keys, the port of the connection.</param>
    internal static IEnumerable<string> Violations(MiddleRequest request, byte[] packet, IPEndPoint proxy)
    {
        var flags = request.Flags;
        if (!RpcProxyReqFlags.TryGetTransport(flags, out _))
            yield return $"flags {flags:x8} belong to no transport";
        if ((flags & ~KnownFlags) != 0)
            yield return $"flags {flags:x8} have bits that no proxy sets";
        if ((flags & RpcProxyReqFlags.Magic) == 0 || (flags & RpcProxyReqFlags.Obfuscated) == 0)
            yield return $"flags {flags:x8} lack bits that every proxy sets";
        if (RpcProxyReqFlags.IsEncrypted(packet) == ((flags & RpcProxyReqFlags.NotEncrypted) != 0))
            yield return $"flags {flags:x8} say the contrary of what the packet is";
        if (packet.Length == 0)
            yield return "RPC_PROXY_REQ without a packet";
        if (!request.Proxy.Equals(proxy))
            yield return $"the proxy says it is {request.Proxy}, and it is {proxy}";
        if (request.Client.Port == 0 || request.Client.Address.Equals(IPAddress.Any) || request.Client.Address.Equals(IPAddress.IPv6Any))
            yield return $"no client is at {request.Client}";
    }
}
