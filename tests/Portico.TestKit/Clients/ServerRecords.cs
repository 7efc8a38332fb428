using System.Buffers.Binary;
using Portico.TestKit.Framing;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Clients;

/// <summary>
/// What a client accepts behind the flight: application data records
/// of 1 to 16384 bytes and nothing else (research of TDLib, Android, iOS).
/// </summary>
internal sealed class ServerRecords
{
    private const int HeaderLength = 5;
    private const int MostPayload = 16384;

    /// <summary>Records so far.</summary>
    internal int Count { get; private set; }

    /// <summary>Longest payload so far.</summary>
    internal int Longest { get; private set; }

    /// <summary>Moves the payload of every whole record of <paramref name="raw"/> into <paramref name="payload"/>.</summary>
    /// <returns>Bytes added.</returns>
    internal int Unwrap(ByteSink raw, ByteSink payload)
    {
        var added = 0;
        while (raw.Length >= HeaderLength)
        {
            var header = raw.Content[..HeaderLength];
            var length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
            if (header[0] != 0x17 || header[1] != 3 || header[2] != 3 || length is 0 or > MostPayload)
                throw new PeerSurpriseException($"no client takes a record that begins {Convert.ToHexStringLower(header)}");
            if (raw.Length < HeaderLength + length)
                break;
            payload.Append(raw.Content.Slice(HeaderLength, length));
            raw.Consume(HeaderLength + length);
            added += length;
            Count++;
            Longest = Math.Max(Longest, length);
        }
        return added;
    }
}
