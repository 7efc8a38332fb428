using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using Portico.Protocol.Crypto;
using Portico.Protocol.TelegramConfig;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// The keys of a link, which both sides compute from what they said
/// in the clear and a secret that all proxies share (spec/03 section 2.2).
/// </summary>
/// <remarks>
/// <code>
///  M(P) = server nonce | client nonce | client time | server IPv4 | client port | P | client IPv4 | server port
///         | secret | server nonce | IPv6 only: client IPv6 | server IPv6 | client nonce          P = CLIENT or SERVER, who sends
///  key  = MD5(M without 1 byte)[0..12) | SHA-1(M)
///  iv   = MD5(M without 2 bytes)
/// </code>
/// Client is the proxy. The addresses are those that Telegram sees: behind NAT the public one of the proxy, but the port of its socket.
/// </remarks>
public static class MiddleProxyKeys
{
    private const int Md5Part = AesCbc256.KeyLength - SHA1.HashSizeInBytes;
    private const int V4Length = 4;
    private const int RoleLength = 6;
    private const int LongestM =
        3 * RpcNonce.NonceLength + RpcNonce.NonceLength + sizeof(uint) + 2 * (V4Length + sizeof(ushort)) + RoleLength
        + MiddleProxySecret.MaxLength + 2 * RpcAddress.Length;

    /// <summary>Derives both directions. The two sides call it with the same arguments.</summary>
    /// <param name="serverNonce">16 bytes, from the middle proxy's RPC_NONCE.</param>
    /// <param name="clientNonce">16 bytes, from the proxy's.</param>
    /// <param name="clientTimestamp">Unix seconds, from the proxy's.</param>
    /// <param name="server">
    /// What the proxy connected to. IPv4 mapped into IPv6 counts as IPv4, here and in <paramref name="client"/>.
    /// </param>
    /// <param name="client">The proxy's public address with the local port of its socket.</param>
    /// <param name="secret">What getProxySecret gave.</param>
    /// <param name="proxyToServer">Encrypts on the proxy's side, decrypts on the other.</param>
    /// <param name="serverToProxy">The other direction.</param>
    /// <exception cref="ArgumentException">
    /// The two addresses are not of one family, or a nonce is not 16 bytes: the caller's mistake.
    /// </exception>
    public static void Derive(
        ReadOnlySpan<byte> serverNonce,
        ReadOnlySpan<byte> clientNonce,
        uint clientTimestamp,
        IPEndPoint server,
        IPEndPoint client,
        MiddleProxySecret secret,
        out MiddleProxyCipher proxyToServer,
        out MiddleProxyCipher serverToProxy)
    {
        if (serverNonce.Length != RpcNonce.NonceLength || clientNonce.Length != RpcNonce.NonceLength)
            throw new ArgumentException("A nonce has 16 bytes.", nameof(serverNonce));
        Span<byte> serverAddress = stackalloc byte[RpcAddress.Length];
        Span<byte> clientAddress = stackalloc byte[RpcAddress.Length];
        RpcAddress.Write(server.Address, serverAddress);
        RpcAddress.Write(client.Address, clientAddress);
        var isV4 = RpcAddress.IsV4(serverAddress);
        if (isV4 != RpcAddress.IsV4(clientAddress))
            throw new ArgumentException("A link has two addresses of one family.", nameof(client));

        Span<byte> m = stackalloc byte[LongestM];
        var rest = m;
        Put(serverNonce, ref rest);
        Put(clientNonce, ref rest);
        BinaryPrimitives.WriteUInt32LittleEndian(rest, clientTimestamp);
        rest = rest[sizeof(uint)..];
        PutV4Reversed(serverAddress, isV4, ref rest);
        PutPort(client.Port, ref rest);
        var role = rest[..RoleLength];
        rest = rest[RoleLength..];
        PutV4Reversed(clientAddress, isV4, ref rest);
        PutPort(server.Port, ref rest);
        Put(secret.Bytes, ref rest);
        Put(serverNonce, ref rest);
        if (!isV4)
        {
            // The four-byte fields above have the server first, these the client.
            Put(clientAddress, ref rest);
            Put(serverAddress, ref rest);
        }
        Put(clientNonce, ref rest);

        var whole = m[..(m.Length - rest.Length)];
        "CLIENT"u8.CopyTo(role);
        proxyToServer = Digest(whole);
        "SERVER"u8.CopyTo(role);
        serverToProxy = Digest(whole);
        CryptographicOperations.ZeroMemory(m);
    }

    private static MiddleProxyCipher Digest(ReadOnlySpan<byte> m)
    {
        Span<byte> key = stackalloc byte[AesCbc256.KeyLength];
        Span<byte> iv = stackalloc byte[MD5.HashSizeInBytes];
#pragma warning disable CA5350, CA5351 // The format of spec/03 section 2.2 is MD5 and SHA-1; nobody but Telegram could change that.
        MD5.HashData(m[1..], iv);
        iv[..Md5Part].CopyTo(key);
        SHA1.HashData(m, key[Md5Part..]);
        MD5.HashData(m[2..], iv);
#pragma warning restore CA5350, CA5351
        var cipher = new MiddleProxyCipher(key, iv);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(iv);
        return cipher;
    }

    private static void Put(ReadOnlySpan<byte> bytes, ref Span<byte> rest)
    {
        bytes.CopyTo(rest);
        rest = rest[bytes.Length..];
    }

    private static void PutPort(int port, ref Span<byte> rest)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(rest, (ushort)port);
        rest = rest[sizeof(ushort)..];
    }

    // An IPv4 address is a number in the official code, hence its order; with IPv6 the field is zero.
    private static void PutV4Reversed(ReadOnlySpan<byte> address, bool isV4, ref Span<byte> rest)
    {
        var field = rest[..V4Length];
        field.Clear();
        if (isV4)
        {
            RpcAddress.V4(address).CopyTo(field);
            field.Reverse();
        }
        rest = rest[V4Length..];
    }
}
