using System.Security.Cryptography;
using System.Text;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// What an app shows instead of the secret: HMAC-SHA256 of the address under the secret (RFC 2104), as 43 characters of base64url.
/// A bearer credential that lives as long as the secret: never logged. Plain and secure form of one secret have different ones.
/// </summary>
/// <remarks>
/// <code>
/// key      the secret's bytes, a leading dd included
/// message  tdesktop-web-proxy-bridge-v1 LF host              without a path
///          tdesktop-web-proxy-bridge-v2 LF host LF path      with one
/// </code>
/// The names in the message are the same on every platform.
/// </remarks>
public static class Capability
{
    /// <summary>Characters of its text.</summary>
    public const int TextLength = CredentialText.Length;

    /// <summary>What stands in front of it in a URL.</summary>
    internal const string BridgeQuery = "?bridge=";

    /// <summary>Computes one.</summary>
    /// <param name="address">Where the proxy is.</param>
    /// <param name="kind">Simple or secure.</param>
    /// <param name="secret">The 16 bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">Fake TLS: WEB proxies have no such secrets.</exception>
    public static string Compute(WebAddress address, SecretKind kind, ProxySecret secret)
    {
        Span<byte> digest = stackalloc byte[CredentialText.ByteLength];
        Compute(address, kind, secret, digest);
        return CredentialText.Encode(digest);
    }

    /// <summary>What an app opens: <c>https://HOST/PATH/?bridge=CAPABILITY</c>.</summary>
    /// <inheritdoc cref="Compute(WebAddress, SecretKind, ProxySecret)"/>
    public static string BridgeUrl(WebAddress address, SecretKind kind, ProxySecret secret) =>
        $"https://{address.Host}{address.Base}{BridgeQuery}{Compute(address, kind, secret)}";

    internal static void Compute(WebAddress address, SecretKind kind, ProxySecret secret, Span<byte> digest)
    {
        Span<byte> key = stackalloc byte[1 + ProxySecret.Length];
        var length = WebSecretText.Write(kind, secret, key);
        HMACSHA256.HashData(key[..length], Encoding.ASCII.GetBytes(Message(address)), digest);
        CryptographicOperations.ZeroMemory(key);
    }

    private static string Message(WebAddress address) => address.Path.Length == 0
        ? $"tdesktop-web-proxy-bridge-v1\n{address.Host}"
        : $"tdesktop-web-proxy-bridge-v2\n{address.Host}\n{address.Path}";
}
