using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Portico.Protocol.Tls;

/// <summary>
/// What protects one direction of a TLS 1.3 connection, and what follows it (RFC 8446 sections 7.1 to 7.3). The bytes are copied by
/// nobody else.
/// </summary>
public sealed class TlsTrafficSecret
{
    /// <summary>Bytes of the nonce, for every suite of TLS 1.3.</summary>
    public const int NonceLength = 12;

    private const int HashOf256 = 32, HashOf384 = 48;

    private readonly byte[] _secret;

    private TlsTrafficSecret(byte[] secret) => _secret = secret;

    // The two suites with AES in Galois/counter mode have hashes of two lengths, which the secrets have too.
    private bool IsLong => _secret.Length == HashOf384;

    /// <summary>Copies a secret.</summary>
    /// <param name="suite">
    /// Number of the cipher suite (appendix B.4): 0x1301, AES with 128 bits and SHA-256, or 0x1302, with 256 bits and SHA-384.
    /// </param>
    /// <param name="secret">As long as the suite's hash.</param>
    /// <returns>Null for another suite or length.</returns>
    public static TlsTrafficSecret? Create(int suite, ReadOnlySpan<byte> secret) =>
        (suite, secret.Length) is (0x1301, HashOf256) or (0x1302, HashOf384) ? new(secret.ToArray()) : null;

    /// <summary>What records are sealed or opened with, from the first one under this secret on.</summary>
    /// <param name="sequence">Records that were sealed or opened with it already.</param>
    public TlsRecordCipher NewCipher(ulong sequence = 0)
    {
        var key = new byte[IsLong ? 32 : 16];
        var nonce = new byte[NonceLength];
        Expand("key", key);
        Expand("iv", nonce);
        var cipher = new TlsRecordCipher(key, nonce, sequence);
        CryptographicOperations.ZeroMemory(key);
        return cipher;
    }

    /// <summary>The one that takes its place after a KeyUpdate.</summary>
    public TlsTrafficSecret Next()
    {
        var next = new byte[_secret.Length];
        Expand("traffic upd", next);
        return new(next);
    }

    /// <summary>Never the bytes: logs, exceptions and debuggers print this.</summary>
    public override string ToString() => "[secret]";

    // HKDF-Expand-Label without a context (section 7.1), of which the first block is enough.
    private void Expand(string label, Span<byte> target)
    {
        var name = Encoding.ASCII.GetBytes("tls13 " + label);
        var info = new byte[2 + 1 + name.Length + 1 + 1];
        BinaryPrimitives.WriteUInt16BigEndian(info, (ushort)target.Length);
        info[2] = (byte)name.Length;
        name.CopyTo(info, 3);
        info[^1] = 1;
        var block = IsLong ? HMACSHA384.HashData(_secret, info) : HMACSHA256.HashData(_secret, info);
        block.AsSpan(0, target.Length).CopyTo(target);
    }
}
