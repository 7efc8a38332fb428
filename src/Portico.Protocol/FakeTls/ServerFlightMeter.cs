using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>Why a server's answer is no flight that a client of ours could be shown.</summary>
public enum ServerFlightEnd : byte
{
    /// <summary>Nothing is wrong so far.</summary>
    None,

    /// <summary>An alert in the clear; <see cref="ServerFlightMeter.AlertDescription"/> says which.</summary>
    Alert,

    /// <summary>No TLS.</summary>
    NotTls,

    /// <summary>A record that no TLS 1.3 server sends at this point.</summary>
    BadRecord,

    /// <summary>A hello that cannot be read.</summary>
    BadHello,

    /// <summary>A hello of a version before TLS 1.3.</summary>
    OtherVersion,

    /// <summary>The server wants another hello, with a share of another group.</summary>
    RetryRequest,

    /// <summary>More records or bytes than a handshake has.</summary>
    TooLong,
}

/// <summary>
/// Measures the flight of a real TLS 1.3 server from the outside (RFC 8446 sections 4.1.3 and 5):
/// the fields of its hello, and how long its encrypted records are. Nothing is decrypted,
/// so nobody can tell from the bytes which record is the last; the caller waits for silence.
/// Takes the bytes of the connection in pieces of any length and holds one hello at most.
/// </summary>
public sealed class ServerFlightMeter
{
    /// <summary>
    /// Of encrypted bytes, headers included: no chain of certificates is as long,
    /// and a server that goes on is sending something else.
    /// </summary>
    public const int MaxEncryptedLength = 1 << 18;

    private const int MaxRecords = 256;
    private const int MaxPlaintext = 16384;
    private const int MaxCiphertext = MaxPlaintext + 256;

    /// <summary>The type of what is inside, and the tag behind it.</summary>
    private const int MinCiphertext = 1 + 16;

    private const int AlertLength = 2;

    private readonly byte[] _header = new byte[TlsWire.RecordHeaderLength];
    private readonly List<int> _records = [];

    /// <summary>The hello while it is incomplete, then null.</summary>
    private byte[]? _message = new byte[ServerHello.MaxMessageLength];
    private int _messageLength;
    private int _headerLength;
    private int _leftOfRecord;

    /// <summary>Why it is over; anything but None is for good.</summary>
    public ServerFlightEnd End { get; private set; }

    /// <summary>Set with <see cref="ServerFlightEnd.Alert"/> (RFC 8446 section 6).</summary>
    public byte AlertDescription { get; private set; }

    /// <summary>A hello of TLS 1.3 was read, if only a request to try again.</summary>
    public bool HasHello { get; private set; }

    /// <summary>Counts if <see cref="HasHello"/>.</summary>
    public ServerHello Hello { get; private set; }

    /// <summary>A ChangeCipherSpec record was there.</summary>
    public bool HasChangeCipherSpec { get; private set; }

    /// <summary>Bytes in each encrypted record so far that is complete, without its header.</summary>
    public IReadOnlyList<int> RecordLengths => _records;

    /// <summary>Bytes of all encrypted records so far that are complete, each with its header of five.</summary>
    public int EncryptedLength { get; private set; }

    /// <summary>No record is under way: only here a flight can have ended.</summary>
    public bool IsAtBoundary => _headerLength == 0;

    /// <summary>Takes the next bytes of the server.</summary>
    /// <returns><see cref="End"/>; after anything but None further bytes change nothing.</returns>
    public ServerFlightEnd Feed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && End == ServerFlightEnd.None)
        {
            if (_headerLength < TlsWire.RecordHeaderLength)
            {
                TakeHeaderByte(bytes[0]);
                bytes = bytes[1..];
                continue;
            }
            var piece = bytes[..Math.Min(bytes.Length, _leftOfRecord)];
            bytes = bytes[piece.Length..];
            _leftOfRecord -= piece.Length;
            TakeBody(piece);
            if (_leftOfRecord == 0)
                _headerLength = 0;
        }
        return End;
    }

    private void TakeHeaderByte(byte value)
    {
        _header[_headerLength++] = value;
        if (_headerLength == 1)
            End = CheckType(value);
        else if (_headerLength <= 3)
            End = CheckVersion(value, isMajor: _headerLength == 2);
        else if (_headerLength == TlsWire.RecordHeaderLength)
            BeginRecord(BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(3)));
    }

    private ServerFlightEnd CheckType(byte type) => type switch
    {
        TlsWire.AlertType => ServerFlightEnd.None,
        TlsWire.HandshakeType => HasHello ? ServerFlightEnd.BadRecord : ServerFlightEnd.None,
        TlsWire.ApplicationDataType => HasHello ? ServerFlightEnd.None : ServerFlightEnd.BadRecord,
        TlsWire.ChangeCipherSpecType => HasHello && !HasChangeCipherSpec ? ServerFlightEnd.None : ServerFlightEnd.BadRecord,
        _ => HasHello || _messageLength > 0 ? ServerFlightEnd.BadRecord : ServerFlightEnd.NotTls,
    };

    // Before its hello a server of any age may speak: 03 00 to 03 04.
    private ServerFlightEnd CheckVersion(byte value, bool isMajor)
    {
        if (value == TlsWire.VersionByte || (!HasHello && !isMajor && value <= 4))
            return ServerFlightEnd.None;
        return HasHello ? ServerFlightEnd.BadRecord : ServerFlightEnd.NotTls;
    }

    private void BeginRecord(int length)
    {
        _leftOfRecord = length;
        var fits = _header[0] switch
        {
            TlsWire.AlertType => length == AlertLength,
            TlsWire.ChangeCipherSpecType => length == 1,
            TlsWire.ApplicationDataType => length is >= MinCiphertext and <= MaxCiphertext,
            _ => length is > 0 and <= MaxPlaintext,
        };
        if (!fits)
            End = ServerFlightEnd.BadRecord;
        else if (_header[0] == TlsWire.ApplicationDataType
            && (EncryptedLength + TlsWire.RecordHeaderLength + length > MaxEncryptedLength || _records.Count == MaxRecords))
            End = ServerFlightEnd.TooLong;
    }

    private void TakeBody(ReadOnlySpan<byte> piece)
    {
        switch (_header[0])
        {
            case TlsWire.HandshakeType:
                TakeMessage(piece);
                break;
            case TlsWire.AlertType when _leftOfRecord == 0:
                AlertDescription = piece[^1];
                End = ServerFlightEnd.Alert;
                break;
            case TlsWire.ChangeCipherSpecType:
                HasChangeCipherSpec = piece[0] == 1;
                if (!HasChangeCipherSpec)
                    End = ServerFlightEnd.BadRecord;
                break;
            case TlsWire.ApplicationDataType when _leftOfRecord == 0:
                var length = BinaryPrimitives.ReadUInt16BigEndian(_header.AsSpan(3));
                _records.Add(length);
                EncryptedLength += TlsWire.RecordHeaderLength + length;
                break;
        }
    }

    /// <summary>
    /// A hello may come in several records, and older servers send
    /// more messages in the same one: those are not looked at.
    /// </summary>
    private void TakeMessage(ReadOnlySpan<byte> piece)
    {
        var message = _message!;
        var at = 0;
        while (at < piece.Length && End == ServerFlightEnd.None && !HasHello)
        {
            message[_messageLength++] = piece[at++];
            if (message[0] != TlsWire.ServerHelloType)
                End = ServerFlightEnd.BadHello;
            else if (_messageLength >= TlsWire.MessageHeaderLength)
                Complete(message.AsSpan(0, _messageLength));
        }
        if (!HasHello)
            return;
        _message = null;
        // What follows a hello of TLS 1.3 is encrypted, so its record ends with it.
        if (End == ServerFlightEnd.None && (at < piece.Length || _leftOfRecord > 0))
            End = ServerFlightEnd.BadRecord;
    }

    private void Complete(ReadOnlySpan<byte> message)
    {
        var length = TlsWire.MessageHeaderLength + (int)(BinaryPrimitives.ReadUInt32BigEndian(message) & 0xffffff);
        if (length > ServerHello.MaxMessageLength)
            End = ServerFlightEnd.BadHello;
        if (message.Length != length)
            return;
        if (!ServerHello.TryParse(message, out var hello))
        {
            End = ServerFlightEnd.BadHello;
            return;
        }
        if (!hello.IsTls13)
        {
            End = ServerFlightEnd.OtherVersion;
            return;
        }
        (Hello, HasHello) = (hello, true);
        if (hello.IsRetryRequest)
            End = ServerFlightEnd.RetryRequest;
    }
}
