using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>The TLS 1.3 suites (RFC 8446 appendix B.4) of which a server flight names one.</summary>
public static class TlsCipherSuites
{
    /// <summary>TLS_AES_128_GCM_SHA256.</summary>
    public const ushort Aes128GcmSha256 = 0x1301;

    /// <summary>TLS_AES_256_GCM_SHA384.</summary>
    public const ushort Aes256GcmSha384 = 0x1302;

    /// <summary>TLS_CHACHA20_POLY1305_SHA256.</summary>
    public const ushort ChaCha20Poly1305Sha256 = 0x1303;

    /// <summary>No suite in common.</summary>
    public const ushort None = 0;

    /// <summary>The suite to answer with: naming one that was not offered gives the proxy away in one packet.</summary>
    /// <param name="offered">The client's list, two bytes each; an odd last byte is ignored.</param>
    /// <param name="preferred">What the cover was seen to choose; it counts if it is a TLS 1.3 suite and offered.</param>
    /// <returns>The preferred one, else the first TLS 1.3 suite in the client's order, else <see cref="None"/>.</returns>
    public static ushort Choose(ReadOnlySpan<byte> offered, ushort preferred = None)
    {
        var first = None;
        for (; offered.Length >= 2; offered = offered[2..])
        {
            var suite = BinaryPrimitives.ReadUInt16BigEndian(offered);
            if (suite is not (Aes128GcmSha256 or Aes256GcmSha384 or ChaCha20Poly1305Sha256))
                continue;
            if (suite == preferred)
                return suite;
            if (first == None)
                first = suite;
        }
        return first;
    }
}
