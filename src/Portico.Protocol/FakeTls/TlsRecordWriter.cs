using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>ApplicationData records in either direction (spec/02 section 11): the only kind sent after the flight.</summary>
public static class TlsRecordWriter
{
    /// <summary>type 1, version 2, length 2.</summary>
    public const int HeaderLength = TlsWire.RecordHeaderLength;

    /// <summary>Most payload of one record, in bytes. Clients close the connection on a longer one.</summary>
    public const int MaxPayload = 16384;

    /// <summary>What TLS 1.3 adds to the plaintext of a record: its type and the tag of the cipher.</summary>
    public const int EncryptionOverhead = 1 + 16;

    /// <summary>
    /// What a full record to a client carries: 8192 bytes of plaintext, encrypted, as nginx shows with a buffer of 8 KB. A stack
    /// that fills its records with 16384 shows 16401, which clients refuse; and no stack shows 16384 again and again.
    /// </summary>
    public const int UsualPayload = 8192 + EncryptionOverhead;

    /// <summary>What a client sends before its first record: a whole ChangeCipherSpec record.</summary>
    public static ReadOnlySpan<byte> ChangeCipherSpec => [TlsWire.ChangeCipherSpecType, TlsWire.VersionByte, TlsWire.VersionByte, 0, 1, 1];

    /// <summary>Writes the five bytes that go before a payload.</summary>
    /// <param name="header">At least 5 bytes.</param>
    /// <param name="payloadLength">0 to <see cref="MaxPayload"/>; an empty record is only ever part of a flight.</param>
    public static void WriteHeader(Span<byte> header, int payloadLength)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(unchecked((uint)payloadLength), (uint)MaxPayload, nameof(payloadLength));
        header[0] = TlsWire.ApplicationDataType;
        header[1] = header[2] = TlsWire.VersionByte;
        BinaryPrimitives.WriteUInt16BigEndian(header[3..], (ushort)payloadLength);
    }

    /// <summary>Bytes on the wire for a payload of any length: none for none.</summary>
    public static int WireLength(int payloadLength) => payloadLength + ((payloadLength + MaxPayload - 1) / MaxPayload * HeaderLength);

    /// <summary>Writes the payload in records as long as possible.</summary>
    /// <param name="payload">Any length; nothing is written for an empty one.</param>
    /// <param name="wire">At least <see cref="WireLength"/> bytes that do not overlap the payload.</param>
    /// <returns>Bytes written.</returns>
    public static int Wrap(ReadOnlySpan<byte> payload, Span<byte> wire)
    {
        var written = 0;
        while (!payload.IsEmpty)
        {
            var length = Math.Min(payload.Length, MaxPayload);
            WriteHeader(wire[written..], length);
            payload[..length].CopyTo(wire[(written + HeaderLength)..]);
            written += HeaderLength + length;
            payload = payload[length..];
        }
        return written;
    }
}
