using System.Diagnostics;

namespace Portico.Protocol;

/// <summary>
/// Why bytes of a client were not accepted. The names are those of spec/05 section 6;
/// <see cref="ProtocolErrors.Tag"/> gives the metric label.
/// </summary>
public enum ProtocolError : byte
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>64 bytes that no configured secret turns into a known transport tag.</summary>
    UnknownProtocol,

    /// <summary>A correct client of a protocol that the listener does not allow.</summary>
    DisabledProtocol,

    /// <summary>Something other than TLS on a listener that speaks only fake TLS.</summary>
    TlsClientHelloExpected,

    /// <summary>A TLS record too short to begin a hello of 512 bytes or more.</summary>
    TlsClientHelloTooShort,

    /// <summary>A hello longer than any client's.</summary>
    TlsClientHelloTooLong,

    /// <summary>A hello whose structure no TLS server could decode.</summary>
    TlsBadClientHello,

    /// <summary>A well-formed hello that no configured secret has signed.</summary>
    TlsInvalidDigest,

    /// <summary>Signed, but without the key_share extension.</summary>
    TlsMissingKeyShareExt,

    /// <summary>Signed, but without a 32-byte x25519 share.</summary>
    TlsUnsupportedKeyShares,

    /// <summary>Signed, but offering none of the TLS 1.3 suites 1301, 1302, 1303.</summary>
    TlsNoCommonCipher,

    /// <summary>A hello that names no host, or more than one.</summary>
    TlsNoSni,

    /// <summary>Signed at a time outside the accepted window.</summary>
    TlsTime,

    /// <summary>A header inside fake TLS with another transport tag than padded intermediate.</summary>
    TlsBadInnerProtocol,

    /// <summary>A record after the flight that a TLS 1.3 peer would not send.</summary>
    TlsBadRecord,

    /// <summary>An abridged packet of 1 MiB or more.</summary>
    AbridgedMaxSize,

    /// <summary>An intermediate or padded packet of 1 MiB or more.</summary>
    IntermediateMaxSize,

    /// <summary>A packet without payload.</summary>
    ZeroLength,

    /// <summary>A packet whose payload is not a multiple of four bytes.</summary>
    Unaligned,
}

/// <summary>Names of <see cref="ProtocolError"/> values on the outside.</summary>
public static class ProtocolErrors
{
    /// <summary>The snake_case name used in metrics, logs and the API.</summary>
    /// <exception cref="UnreachableException">The value has no name: a programming error, caught by a test over all values.</exception>
    public static string Tag(this ProtocolError error) => error switch
    {
        ProtocolError.None => "none",
        ProtocolError.UnknownProtocol => "unknown_protocol",
        ProtocolError.DisabledProtocol => "disabled_protocol",
        ProtocolError.TlsClientHelloExpected => "tls_client_hello_expected",
        ProtocolError.TlsClientHelloTooShort => "tls_client_hello_too_short",
        ProtocolError.TlsClientHelloTooLong => "tls_client_hello_too_long",
        ProtocolError.TlsBadClientHello => "tls_bad_client_hello",
        ProtocolError.TlsInvalidDigest => "tls_invalid_digest",
        ProtocolError.TlsMissingKeyShareExt => "tls_missing_key_share_ext",
        ProtocolError.TlsUnsupportedKeyShares => "tls_unsupported_key_shares",
        ProtocolError.TlsNoCommonCipher => "tls_no_common_cipher",
        ProtocolError.TlsNoSni => "tls_no_sni",
        ProtocolError.TlsTime => "tls_time",
        ProtocolError.TlsBadInnerProtocol => "tls_bad_inner_protocol",
        ProtocolError.TlsBadRecord => "tls_bad_record",
        ProtocolError.AbridgedMaxSize => "abridged_max_size",
        ProtocolError.IntermediateMaxSize => "intermediate_max_size",
        ProtocolError.ZeroLength => "zero_length",
        ProtocolError.Unaligned => "unaligned",
        _ => throw new UnreachableException($"ProtocolError {(int)error} has no tag"),
    };
}
