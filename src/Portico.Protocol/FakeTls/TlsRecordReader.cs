namespace Portico.Protocol.FakeTls;

/// <summary>Whether a peer's record stream goes on.</summary>
public enum TlsRecordEnd : byte
{
    /// <summary>It goes on.</summary>
    None,

    /// <summary>The peer sent an alert record: it wants to end in order.</summary>
    Alert,

    /// <summary>A record that no TLS 1.3 peer sends here: <see cref="ProtocolError.TlsBadRecord"/>.</summary>
    BadRecord,
}

/// <summary>
/// Strips record headers in place from whatever was read, wherever the reads end (spec/02 section 11).
/// Records are a byte stream: payload is handed on before its record is complete.
/// ChangeCipherSpec records and empty ones vanish. A mutable value of 6 bytes: never copy one that is in use.
/// </summary>
public struct TlsRecordReader
{
    private ushort _leftOfRecord;

    /// <summary>Header bytes seen of the current record; all five while its body is under way.</summary>
    private byte _headerLength;
    private byte _type;
    private TlsRecordEnd _end;

    /// <summary>Whether the bytes so far end between two records: EOF elsewhere is a peer that was cut off.</summary>
    public readonly bool IsAtBoundary => _headerLength == 0;

    /// <summary>Decodes the next bytes of the stream.</summary>
    /// <param name="chunk">What was read; overwritten where records meet.</param>
    /// <param name="end">Anything but None is for good: later calls decode nothing and say the same.</param>
    /// <returns>The payload, a slice of <paramref name="chunk"/>, possibly empty; also what came before an end.</returns>
    public Span<byte> Unwrap(Span<byte> chunk, out TlsRecordEnd end)
    {
        var start = 0;  // the first payload stays where it is, the others close up to it: a read that meets one record moves nothing
        var kept = 0;
        var position = 0;
        while (position < chunk.Length && _end == TlsRecordEnd.None)
        {
            if (_headerLength < TlsWire.RecordHeaderLength)
            {
                TakeHeaderByte(chunk[position++]);
                continue;
            }
            var length = Math.Min(_leftOfRecord, chunk.Length - position);
            if (_type == TlsWire.ApplicationDataType)
            {
                if (kept == 0)
                    start = position;
                else
                    chunk.Slice(position, length).CopyTo(chunk[(start + kept)..]);
                kept += length;
            }
            position += length;
            _leftOfRecord -= (ushort)length;
            if (_leftOfRecord == 0)
                _headerLength = 0;
        }
        end = _end;
        return chunk.Slice(start, kept);
    }

    /// <summary>Judges each byte at once, so that the verdict does not depend on where reads end.</summary>
    private void TakeHeaderByte(byte value)
    {
        switch (_headerLength++)
        {
            case 0:
                _type = value;
                if (value is not (TlsWire.ApplicationDataType or TlsWire.ChangeCipherSpecType or TlsWire.AlertType))
                    _end = TlsRecordEnd.BadRecord;
                break;
            case 1:
            case 2:
                if (value != TlsWire.VersionByte)
                    _end = TlsRecordEnd.BadRecord;
                else if (_type == TlsWire.AlertType && _headerLength == 3)
                    _end = TlsRecordEnd.Alert;
                break;
            case 3:
                _leftOfRecord = (ushort)(value << 8);
                break;
            default:
                _leftOfRecord |= value;
                if (_leftOfRecord == 0)
                    _headerLength = 0;
                break;
        }
    }
}
