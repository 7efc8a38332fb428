namespace Portico.Protocol.FakeTls;

/// <summary>The one alert ever sent, and only where no cover can answer instead (spec/02 section 8; RFC 8446 section 6).</summary>
public static class TlsAlert
{
    private const byte AlertBodyLength = 2;
    private const byte FatalLevel = 2;
    private const byte DecodeErrorDescription = 50;

    /// <summary>What a TLS server answers to a hello it cannot decode: record header, fatal, decode_error.</summary>
    public static ReadOnlySpan<byte> DecodeError =>
        [TlsWire.AlertType, TlsWire.VersionByte, TlsWire.VersionByte, 0, AlertBodyLength, FatalLevel, DecodeErrorDescription];
}
