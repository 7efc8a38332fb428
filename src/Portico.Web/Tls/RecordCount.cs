using Portico.Protocol.Tls;

namespace Portico.Web.Tls;

/// <summary>How many encrypted records a stream has had, whatever pieces it came in.</summary>
internal struct RecordCount
{
    private int _header;
    private int _left;
    private byte _high;
    private bool _isEncrypted;

    /// <summary>Those that have begun.</summary>
    public uint Count { get; private set; }

    /// <summary>The last one is there whole.</summary>
    public readonly bool IsBetween => _header == 0;

    /// <summary>More of the stream.</summary>
    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_header < TlsRecordCipher.HeaderLength)
            {
                AddToHeader(bytes[0]);
                bytes = bytes[1..];
                continue;
            }

            var part = Math.Min(_left, bytes.Length);
            _left -= part;
            bytes = bytes[part..];
            if (_left == 0) _header = 0;
        }
    }

    private void AddToHeader(byte value)
    {
        switch (_header++)
        {
            case 0:
                _isEncrypted = value == (byte)TlsContent.ApplicationData;
                break;
            case 3:
                _high = value;
                break;
            case 4:
                _left = (_high << 8) | value;
                if (_isEncrypted) Count++;
                if (_left == 0) _header = 0;
                break;
        }
    }
}
