using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Portico.Protocol.WebSockets;

/// <summary>How a server shows that it has understood a handshake (RFC 6455 section 4.2.2).</summary>
public static class WebSocketHandshake
{
    private const int KeyLength = 16, KeyTextLength = 24;

    private const string Suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    /// <summary>Whether it is a Sec-WebSocket-Key: 16 bytes in base64 (section 4.1).</summary>
    public static bool IsKey(string key)
    {
        Span<byte> bytes = stackalloc byte[KeyLength];
        return key.Length == KeyTextLength && Convert.TryFromBase64String(key, bytes, out var length) && length == KeyLength;
    }

    /// <summary>What Sec-WebSocket-Accept answers to a Sec-WebSocket-Key.</summary>
    /// <param name="key">As it came, without spaces around it.</param>
    /// <returns>28 characters of base64.</returns>
    [SuppressMessage("Security", "CA5350", Justification = "The protocol wants SHA-1, and nothing depends on its strength.")]
    public static string Accept(string key) => Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + Suffix)));
}
