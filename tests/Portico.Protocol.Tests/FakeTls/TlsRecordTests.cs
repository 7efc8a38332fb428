using System.Security.Cryptography;
using System.Text.Json;
using Portico.Protocol.FakeTls;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class TlsRecordTests
{
    private static readonly JsonElement[] Encodings = Vectors.Cases("tls_records.json", "encode");

    private static readonly JsonElement[] Decodings = Vectors.Cases("tls_records.json", "decode");

    public static TheoryData<string> DecodingNames { get; } = [.. Decodings.Select(c => c.Text("name"))];

    [Fact]
    public void Every_payload_of_the_vectors_is_wrapped_byte_for_byte()
    {
        foreach (var encoding in Encodings)
        {
            var payload = Payload(encoding.GetProperty("payload_len").GetInt32());
            var wire = new byte[TlsRecordWriter.WireLength(payload.Length)];
            Assert.Equal(wire.Length, TlsRecordWriter.Wrap(payload, wire));
            if (encoding.Optional("wire") is { } expected)
            {
                Assert.Equal(expected.GetString(), Convert.ToHexStringLower(wire));
                continue;
            }
            Assert.Equal(encoding.GetProperty("wire_len").GetInt32(), wire.Length);
            Assert.Equal(encoding.GetProperty("wire_sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(wire)));
            foreach (var header in encoding.GetProperty("record_headers").EnumerateArray())
                Assert.Equal(header[1].GetString(), Convert.ToHexStringLower(wire.AsSpan(header[0].GetInt32(), 5)));
        }
        Assert.Equal(11, Encodings.Length);
    }

    [Fact]
    public void What_is_wrapped_is_unwrapped_whatever_the_length()
    {
        foreach (var encoding in Encodings)
        {
            var payload = Payload(encoding.GetProperty("payload_len").GetInt32());
            var wire = new byte[TlsRecordWriter.WireLength(payload.Length)];
            TlsRecordWriter.Wrap(payload, wire);
            foreach (var chunk in (int[])[1, 7, 4096, 65536, 1 << 20])
                AssertDecoded(payload, TlsRecordEnd.None, Unwrap(wire, chunk));
        }
    }

    [Theory]
    [MemberData(nameof(DecodingNames))]
    public void Every_stream_of_the_vectors_is_decoded_however_it_arrives(string name)
    {
        var (stream, payload, end) = Decoding(name);
        AssertDecodedHoweverItArrives(stream, payload, end);
    }

    [Fact]
    public void Ccs_of_any_length_and_empty_records_vanish_wherever_they_stand()
    {
        byte[] stream =
        [
            0x14, 3, 3, 0, 1, 1, 0x14, 3, 3, 0, 0, 0x17, 3, 3, 0, 2, 1, 2, 0x14, 3, 3, 1, 0, .. new byte[256],
            0x17, 3, 3, 0, 0, 0x17, 3, 3, 0, 1, 3, 0x17, 3, 3, 0, 0,
        ];
        AssertDecodedHoweverItArrives(stream, [1, 2, 3], TlsRecordEnd.None);
    }

    [Fact]
    public void A_record_may_hold_65535_bytes()
    {
        var payload = RandomNumberGenerator.GetBytes(65535);
        AssertDecoded(payload, TlsRecordEnd.None, Unwrap([0x17, 3, 3, 0xff, 0xff, .. payload], chunkLength: 65536));
    }

    [Fact]
    public void Payload_before_an_end_is_handed_on_and_after_it_nothing_is()
    {
        byte[] good = [0x17, 3, 3, 0, 1, 9];
        foreach (var (bytes, expected) in new (byte[], TlsRecordEnd)[]
        {
            ([0x15, 3, 3, 0, 2, 1, 0], TlsRecordEnd.Alert),
            ([0x16, 3, 3, 0, 1, 0], TlsRecordEnd.BadRecord),
            ([0x17, 3, 1, 0, 1, 0], TlsRecordEnd.BadRecord),
            ([0x14, 2, 3, 0, 1, 0], TlsRecordEnd.BadRecord),
            ([0x15, 3, 1, 0, 2, 1, 0], TlsRecordEnd.BadRecord),
            ([0x47], TlsRecordEnd.BadRecord),
        })
        {
            AssertDecodedHoweverItArrives([.. good, .. bytes, .. good], [9], expected);
        }
    }

    [Fact]
    public void The_reader_knows_whether_a_record_was_cut_off()
    {
        byte[] stream = [0x14, 3, 3, 0, 1, 1, 0x17, 3, 3, 0, 2, 1, 2, 0x17, 3, 3, 0, 0];
        var boundaries = new List<int>();
        var reader = default(TlsRecordReader);
        for (var i = 0; i < stream.Length; i++)
        {
            if (reader.IsAtBoundary)
                boundaries.Add(i);
            reader.Unwrap(stream.AsSpan(i, 1), out _);
        }
        Assert.True(reader.IsAtBoundary);
        Assert.Equal([0, 6, 13], boundaries);
    }

    [Fact]
    public void A_read_inside_one_record_is_given_back_where_it_lies()
    {
        var reader = default(TlsRecordReader);
        byte[] first = [0x17, 3, 3, 0x40, 0, .. new byte[100]];
        var payload = reader.Unwrap(first, out _);
        Assert.Equal(100, payload.Length);
        Assert.True(payload.Overlaps(first, out var offset));
        Assert.Equal(-5, offset);
        Span<byte> second = new byte[16284];
        Assert.True(reader.Unwrap(second, out _) == second);
        Assert.True(reader.IsAtBoundary);
    }

    [Fact]
    public void The_reader_is_six_bytes_and_allocates_nothing()
    {
        Assert.Equal(6, System.Runtime.CompilerServices.Unsafe.SizeOf<TlsRecordReader>());
        var reader = default(TlsRecordReader);
        var wire = new byte[TlsRecordWriter.WireLength(40000)];
        var payload = new byte[40000];
        TlsRecordWriter.Wrap(payload, wire);
        var before = GC.GetAllocatedBytesForCurrentThread();
        reader.Unwrap(wire, out _);
        TlsRecordWriter.Wrap(payload, wire);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_record_header_takes_no_length_that_clients_refuse()
    {
        var header = new byte[5];
        TlsRecordWriter.WriteHeader(header, TlsRecordWriter.MaxPayload);
        Assert.Equal("1703034000", Convert.ToHexStringLower(header));
        Assert.Throws<ArgumentOutOfRangeException>(() => TlsRecordWriter.WriteHeader(header, TlsRecordWriter.MaxPayload + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => TlsRecordWriter.WriteHeader(header, -1));
    }

    internal static (byte[] Payload, TlsRecordEnd End) Unwrap(byte[] stream, int chunkLength)
    {
        var reader = default(TlsRecordReader);
        var payload = new List<byte>();
        var end = TlsRecordEnd.None;
        foreach (var chunk in stream.Chunk(Math.Max(chunkLength, 1)))
            payload.AddRange(reader.Unwrap(chunk, out end));
        return ([.. payload], end);
    }

    private static void AssertDecodedHoweverItArrives(byte[] stream, byte[] payload, TlsRecordEnd end)
    {
        foreach (var (_, parts) in Segmentation.Deliveries(stream))
        {
            var reader = default(TlsRecordReader);
            var decoded = new List<byte>();
            var ended = TlsRecordEnd.None;
            foreach (var part in parts)
            {
                var before = ended;
                decoded.AddRange(reader.Unwrap(part.Span, out ended));
                Assert.True(before == TlsRecordEnd.None || before == ended, "An end was taken back.");
            }
            AssertDecoded(payload, end, ([.. decoded], ended));
        }
    }

    private static void AssertDecoded(byte[] payload, TlsRecordEnd end, (byte[] Payload, TlsRecordEnd End) decoded)
    {
        Assert.Equal(payload, decoded.Payload);
        Assert.Equal(end, decoded.End);
    }

    /// <summary>
    /// What a streaming reader makes of a vector: also the payload of a record
    /// of which only a part has come, which the vectors list as "rest".
    /// </summary>
    private static (byte[] Stream, byte[] Payload, TlsRecordEnd End) Decoding(string name)
    {
        var decoding = Decodings.Single(c => c.Text("name") == name);
        if (decoding.Optional("error") is not null)
        {
            // "65541 garbage bytes": refused with the first of them instead of the last.
            var garbage = new byte[65541];
            garbage.AsSpan().Fill(0x55);
            return (garbage, [], TlsRecordEnd.BadRecord);
        }
        var payload = decoding.Hex("data");
        var rest = decoding.Hex("rest");
        if (decoding.Optional("recommended") is not null)
            return (decoding.Hex("stream"), payload, rest[0] == 0x15 ? TlsRecordEnd.Alert : TlsRecordEnd.BadRecord);
        return (decoding.Hex("stream"), [.. payload, .. rest.Skip(5)], TlsRecordEnd.None);
    }

    private static byte[] Payload(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7 + 3))];
}
