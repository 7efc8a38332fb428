using Portico.Core.Net;
using Portico.Protocol.Tls;
using Portico.Web.Tls;
using Xunit;

namespace Portico.Web.Tests.Tls;

/// <summary>A session of TLS 1.3 behind its handshake, before a client that has only the secrets.</summary>
public sealed class TlsRecordsTests : IDisposable
{
    private const int Suite = 0x1301, Received = 3, Sent = 2;

    private readonly Wire _wire = new();
    private readonly BufferPool _buffers = new();
    private readonly TlsRecords _records;
    private TlsTrafficSecret _client = TlsTrafficSecret.Create(Suite, new byte[32])!;
    private TlsTrafficSecret _server = TlsTrafficSecret.Create(Suite, [.. Enumerable.Repeat((byte)7, 32)])!;
    private TlsRecordCipher _sealing;
    private TlsRecordCipher _opening;

    public TlsRecordsTests()
    {
        _records = new TlsRecords(_client, Received, _server, Sent, _buffers);
        (_sealing, _opening) = (_client.NewCipher(Received), _server.NewCipher(Sent));
    }

    public void Dispose()
    {
        _records.Free();
        _sealing.Dispose();
        _opening.Dispose();
        Assert.Equal(0, _buffers.Rented);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(100_000)]
    public void What_is_sealed_is_read_however_it_comes_and_the_other_way(int piece)
    {
        byte[] content = [.. Enumerable.Range(0, 40_000).Select(i => (byte)i)];
        foreach (var part in content.Chunk(16384)) Say(part);
        Say([]);
        Say([1, 2, 3]);
        _wire.Most = piece;

        Assert.Equal([.. content, 1, 2, 3], ReadAll(out var status));
        Assert.Equal(IoStatus.WouldBlock, status);
        Assert.Equal(0, _buffers.Rented);

        Assert.Equal(IoStatus.Ok, _records.Write(_wire, [], content));
        Assert.Equal(content, Hear(out var types));
        Assert.All(types, type => Assert.Equal(TlsContent.ApplicationData, type));
        Assert.Equal(3, types.Count);
    }

    [Theory]
    [InlineData(18, 0, 1)]
    [InlineData(18, 100, 1)]
    [InlineData(18, 16384 - 18, 1)]
    [InlineData(18, 16384 - 17, 2)]
    [InlineData(18, 65536, 5)]
    [InlineData(16384, 1, 2)]
    public void A_head_is_no_record_of_its_own(int headLength, int length, int records)
    {
        byte[] head = [.. Enumerable.Range(0, headLength).Select(i => (byte)(255 - i))];
        byte[] content = [.. Enumerable.Range(0, length).Select(i => (byte)i)];

        Assert.Equal(IoStatus.Ok, _records.Write(_wire, head, content));

        Assert.Equal([.. head, .. content], Hear(out var types));
        Assert.Equal(records, types.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void New_keys_are_taken_and_given(byte areOursWanted)
    {
        Say([1]);
        Say([24, 0, 0, 1, areOursWanted], TlsContent.Handshake);
        _sealing.Dispose();
        _client = _client.Next();
        _sealing = _client.NewCipher();
        Say([2]);

        Assert.Equal([1, 2], ReadAll(out _));

        if (areOursWanted == 1)
        {
            Assert.Equal([24, 0, 0, 1, 0], Hear(out var types));
            Assert.Equal([TlsContent.Handshake], types);
            _opening.Dispose();
            _server = _server.Next();
            _opening = _server.NewCipher();
        }

        _records.Write(_wire, [], "after"u8);
        Assert.Equal("after"u8.ToArray(), Hear(out _));
    }

    [Fact]
    public void New_keys_without_end_are_the_end()
    {
        for (var i = 0; i < 257; i++)
        {
            Say([24, 0, 0, 1, 1], TlsContent.Handshake);
            _sealing.Dispose();
            _client = _client.Next();
            _sealing = _client.NewCipher();
        }

        Assert.Empty(ReadAll(out var status));
        Assert.Equal(IoStatus.Reset, status);
    }

    [Fact]
    public void Goodbyes_are_heard_behind_bytes_and_said()
    {
        Say([1, 2]);
        Say([1, 0], TlsContent.Alert);

        Assert.Equal([1, 2], ReadAll(out var status));
        Assert.Equal(IoStatus.Eof, status);
        Assert.Empty(ReadAll(out status));
        Assert.Equal(IoStatus.Eof, status);
        _records.Shutdown(_wire);
        Assert.Equal([1, 0], Hear(out var types));
        Assert.Equal([TlsContent.Alert], types);
    }

    public static TheoryData<byte[], byte> Wrong => new()
    {
        { [2, 10], (byte)TlsContent.Alert },
        { [1], (byte)TlsContent.Alert },
        { [24, 0, 0, 1, 2], (byte)TlsContent.Handshake },
        { [24, 0, 0, 1], (byte)TlsContent.Handshake },
        { [1, 0, 0, 0], (byte)TlsContent.Handshake },
        { [1], (byte)TlsContent.ChangeCipherSpec },
        { [1], 99 },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_cannot_be_behind_a_handshake_is_the_end(byte[] content, byte type)
    {
        Say(content, (TlsContent)type);

        Assert.Empty(ReadAll(out var status));
        Assert.Equal(IoStatus.Reset, status);
    }

    [Theory]
    [InlineData("170303001500000000000000000000000000000000000000000000")]
    [InlineData("1403030001 01")]
    [InlineData("1703034101")]
    [InlineData("47455420")]
    [InlineData("474554202f")]
    public void What_the_client_has_not_sealed_is_the_end(string hex)
    {
        _wire.Arrived.AddRange(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));

        Assert.Empty(ReadAll(out var status));
        Assert.Equal(hex.Length == 8 ? IoStatus.WouldBlock : IoStatus.Reset, status);
    }

    private void Say(byte[] content, TlsContent type = TlsContent.ApplicationData)
    {
        var record = new byte[content.Length + TlsRecordCipher.Overhead];
        _sealing.Seal(content, type, record);
        _wire.Arrived.AddRange(record);
    }

    private byte[] ReadAll(out IoStatus status)
    {
        var all = new List<byte>();
        var buffer = new byte[1000];
        do
        {
            status = _records.Read(_wire, buffer, out var count);
            all.AddRange(buffer.AsSpan(0, count));
        }
        while (status == IoStatus.Ok);
        return [.. all];
    }

    private byte[] Hear(out List<TlsContent> types)
    {
        (types, var all) = ([], new List<byte>());
        var bytes = _wire.Sent.ToArray();
        _wire.Sent.Clear();
        for (var at = 0; at < bytes.Length;)
        {
            Assert.Equal(Portico.Protocol.FrameStatus.Ok, TlsRecordCipher.TryMeasure(bytes.AsSpan(at), out var length));
            Assert.True(_opening.TryOpen(bytes.AsSpan(at, length), out var type, out var count));
            types.Add(type);
            all.AddRange(bytes.AsSpan(at + TlsRecordCipher.HeaderLength, count));
            at += length;
        }

        return [.. all];
    }

    private sealed class Wire : ITlsWire
    {
        private readonly byte[] _room = new byte[20_000];

        public List<byte> Arrived { get; } = [];

        public List<byte> Sent { get; } = [];

        public int Most { get; set; } = int.MaxValue;

        public IoStatus ReadRecords(Span<byte> buffer, out int count)
        {
            count = Math.Min(Math.Min(buffer.Length, Arrived.Count), Most);
            Arrived.GetRange(0, count).ToArray().CopyTo(buffer);
            Arrived.RemoveRange(0, count);
            return count > 0 ? IoStatus.Ok : IoStatus.WouldBlock;
        }

        public Span<byte> RoomForRecords(int length) => _room;

        public void WroteRecords(int length) => Sent.AddRange(_room.AsSpan(0, length));
    }
}
