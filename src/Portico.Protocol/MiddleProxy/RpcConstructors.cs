namespace Portico.Protocol.MiddleProxy;

/// <summary>The first four bytes of every payload between proxy and middle proxy, as little-endian numbers (spec/03 section 4).</summary>
public static class RpcConstructors
{
    /// <summary>RPC_NONCE, both ways, in the clear: <see cref="RpcNonce"/>.</summary>
    public const uint Nonce = 0x7acb87aa;

    /// <summary>RPC_HANDSHAKE, both ways: <see cref="RpcHandshake"/>.</summary>
    public const uint Handshake = 0x7682eef5;

    /// <summary>RPC_HANDSHAKE_ERROR, to the proxy: <see cref="RpcHandshakeError"/>.</summary>
    public const uint HandshakeError = 0x6a27beda;

    /// <summary>RPC_PROXY_REQ, to the middle proxy: <see cref="RpcProxyReq"/>.</summary>
    public const uint ProxyReq = 0x36cef1ee;

    /// <summary>RPC_PROXY_ANS, to the proxy: a packet for a client.</summary>
    public const uint ProxyAns = 0x4403da0d;

    /// <summary>RPC_CLOSE_CONN, to the middle proxy: a client is gone.</summary>
    public const uint CloseConn = 0x1fcf425d;

    /// <summary>RPC_CLOSE_EXT, to the proxy: this client is to be closed.</summary>
    public const uint CloseExt = 0x5eb634a2;

    /// <summary>RPC_SIMPLE_ACK, to the proxy: a quick acknowledgement for a client.</summary>
    public const uint SimpleAck = 0x3bac409b;

    /// <summary>RPC_PING, both ways.</summary>
    public const uint Ping = 0x5730a2df;

    /// <summary>RPC_PONG, both ways.</summary>
    public const uint Pong = 0x8430eaa7;

    /// <summary>The ad tag in the extra block of RPC_PROXY_REQ.</summary>
    public const uint ProxyTag = 0xdb1e26ae;

    /// <summary>The other thing an extra block may hold: what an HTTP client asked for. Portico never sends it.</summary>
    public const uint HttpQueryInfo = 0xd45ab381;
}
