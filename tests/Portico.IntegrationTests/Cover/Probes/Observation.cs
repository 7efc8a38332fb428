using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Portico.TestKit.Wires;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>
/// What a prober saw: records by type and length, alerts by code, suites,
/// everything else by its number of bytes and first line, and how it ended.
/// </summary>
internal sealed record Observation(ImmutableArray<SeenRecord> Records, PeerEnd End)
{
    /// <summary>Takes what came apart.</summary>
    public static Observation Of(Received received)
    {
        var records = ImmutableArray.CreateBuilder<SeenRecord>();
        var rest = received.Bytes.AsSpan();
        while (TryRead(rest, out var length))
        {
            records.Add(SeenRecord.Of(rest[..length]));
            rest = rest[length..];
        }
        if (!rest.IsEmpty)
            records.Add(SeenRecord.OfPlain(rest));
        return new Observation(records.ToImmutable(), received.End);
    }

    /// <summary>Whole records at the beginning of <paramref name="bytes"/>.</summary>
    public static int CountRecords(ReadOnlySpan<byte> bytes)
    {
        var count = 0;
        for (; TryRead(bytes, out var length); count++)
            bytes = bytes[length..];
        return count;
    }

    /// <summary>
    /// Whether a prober could not tell the two apart;
    /// lengths of signatures vary from one answer to the next of the same server.
    /// </summary>
    /// <param name="other">What the cover says.</param>
    /// <param name="endsByChance">The cover ends this one or keeps it open, now this and now that.</param>
    public bool LooksLike(Observation other, bool endsByChance = false) =>
        (End == other.End || (endsByChance && End != PeerEnd.Reset))
        && Records.Length == other.Records.Length
        && Records.Zip(other.Records).All(pair => pair.First.LooksLike(pair.Second));

    /// <summary>As the table of probes writes it.</summary>
    public override string ToString()
    {
        var end = End switch { PeerEnd.Fin => "FIN", PeerEnd.Reset => "RST", _ => "OPEN" };
        return $"{(Records.IsEmpty ? "no bytes" : string.Join(' ', Records))}, {end}";
    }

    private static bool TryRead(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes.Length < 5 || bytes[0] is < 0x14 or > 0x17 || bytes[1] != 3)
            return false;
        length = 5 + BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        return length <= bytes.Length;
    }
}

/// <summary>A record, or what is none.</summary>
/// <param name="Kind">Type and what can be read of it.</param>
/// <param name="Suite">The suite of a ServerHello.</param>
/// <param name="Length">Bytes of payload; of what is no record, all bytes.</param>
/// <param name="MayVary">Holds a signature.</param>
internal sealed record SeenRecord(string Kind, string Suite, int Length, bool MayVary)
{
    // A signature of ECDSA has 70 to 72 bytes in DER, one in 512 is a byte shorter,
    // one in 100 000 two: thousands of them are compared, so that two bytes are not enough.
    public const int MostDifference = 5;

    /// <summary>SHA-256 of "HelloRetryRequest": the random that makes a ServerHello one (RFC 8446 section 4.1.3).</summary>
    private static ReadOnlySpan<byte> RetryRandom =>
    [
        0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
        0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
    ];

    public static SeenRecord Of(ReadOnlySpan<byte> record)
    {
        var payload = record[5..];
        var version = record[2] == 3 ? "" : $"/{record[1]:x2}{record[2]:x2}";
        return record[0] switch
        {
            0x14 => new SeenRecord($"CCS{version}", "", payload.Length, MayVary: false),
            0x15 when payload.Length == 2 => new SeenRecord($"ALERT({payload[0]},{payload[1]}){version}", "", 2, MayVary: false),
            0x15 => new SeenRecord($"ALERT{version}", "", payload.Length, MayVary: false),
            0x16 when payload.Length > 0 => OfMessage(payload, version),
            0x17 => new SeenRecord($"APP{version}", "", payload.Length, MayVary: payload.Length is > 90 and < 120),
            _ => new SeenRecord($"{record[0]:x2}{version}", "", payload.Length, MayVary: false),
        };
    }

    public static SeenRecord OfPlain(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)'\r');
        var line = Encoding.Latin1.GetString(bytes[..Math.Clamp(end, 0, 40)]);
        return new SeenRecord("PLAIN", line, bytes.Length, MayVary: false);
    }

    public bool LooksLike(SeenRecord other) =>
        Kind == other.Kind
        && Suite == other.Suite
        && (MayVary && other.MayVary ? Math.Abs(Length - other.Length) <= MostDifference : Length == other.Length);

    /// <summary>Without the suite, as the table of probes writes it.</summary>
    public override string ToString() => Kind.StartsWith("ALERT(", StringComparison.Ordinal) ? Kind : $"{Kind}:{Length}";

    private static SeenRecord OfMessage(ReadOnlySpan<byte> payload, string version)
    {
        var kind = $"HS({payload[0]}){version}";
        var suite = "";
        if (payload[0] == 2 && payload.Length > 42)
        {
            if (payload.Slice(6, 32).SequenceEqual(RetryRandom))
                kind += "{HRR}";
            var at = 39 + payload[38];
            suite = at + 2 <= payload.Length ? Convert.ToHexStringLower(payload.Slice(at, 2)) : "";
        }
        return new SeenRecord(kind, suite, payload.Length, MayVary: payload[0] == 12);
    }
}
