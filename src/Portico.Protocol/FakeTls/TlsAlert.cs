namespace Portico.Protocol.FakeTls;

/// <summary>
/// The alerts that are sent (spec/02 section 8 and "Changed"; RFC 8446 section 6):
/// to a hello where no cover can answer instead, and behind our flight.
/// </summary>
public static class TlsAlert
{
    private const byte AlertBodyLength = 2;
    private const byte FatalLevel = 2;
    private const byte DecodeErrorDescription = 50;

    /// <summary>
    /// Length of an encrypted alert, as a TLS 1.3 server sends one in an application-data record: level, description, the inner type,
    /// and a tag of 16 bytes (RFC 8446 section 5.2).
    /// </summary>
    public const int EncryptedLength = AlertBodyLength + 1 + 16;

    /// <summary>What a TLS server answers to a hello it cannot decode: record header, fatal, decode_error.</summary>
    public static ReadOnlySpan<byte> DecodeError =>
        [TlsWire.AlertType, TlsWire.VersionByte, TlsWire.VersionByte, 0, AlertBodyLength, FatalLevel, DecodeErrorDescription];
}
