using System.Buffers.Binary;
using System.Text;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Portico.Protocol.Tests.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

public class ClientHelloWriterTests
{
    private const uint Time = 1_760_000_000;

    private static readonly ProxySecret Secret = ProxySecret.Create([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

    [Theory]
    [InlineData(ClientHelloShape.PostQuantum)]
    [InlineData(ClientHelloShape.Classic517)]
    public void An_own_hello_is_accepted_with_its_name_and_time(ClientHelloShape shape)
    {
        var hello = Write(shape, "www.example.org", seed: 1);
        using var key = new HmacKey(Secret);
        using var other = new HmacKey(ProxySecret.Create(new byte[16]));
        var scratch = new byte[ClientHelloReader.MaxHelloLength];
        var status = HelloExamination.Examine(
            hello, scratch, [other, key], TimeWindow.Default, Time, TlsCipherSuites.None, out var verdict);
        Assert.Equal((FrameStatus.Ok, ProtocolError.None), (status, verdict.Error));
        Assert.Equal(1, verdict.KeyIndex);
        Assert.Equal(Time, verdict.Timestamp);
        Assert.Equal("www.example.org"u8, verdict.Hello.Sni);
        Assert.Equal(32, verdict.Hello.SessionId.Length);
        Assert.Equal(hello.Length, verdict.RawConsumed);
        Assert.Equal(TlsCipherSuites.Aes128GcmSha256, verdict.CipherSuite);
    }

    [Fact]
    public void The_post_quantum_shape_has_the_four_measured_lengths()
    {
        var lengths =
            Enumerable.Range(0, 64).Select(seed => Write(ClientHelloShape.PostQuantum, "www.example.org", seed).Length).Distinct().Order();
        Assert.Equal([1731, 1763, 1795, 1827], lengths);
        Assert.All(Enumerable.Range(0, 16), seed => Assert.Contains(
            Write(ClientHelloShape.PostQuantum, "t.me", seed).Length, (int[])[1720, 1752, 1784, 1816]));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(100)]
    [InlineData(182)]
    public void The_classic_shape_has_517_bytes_whatever_the_name(int domainLength) =>
        Assert.Equal(517, Write(ClientHelloShape.Classic517, new string('a', domainLength), seed: 3).Length);

    [Fact]
    public void The_longest_name_fits_both_shapes()
    {
        var name = new string('a', ClientHelloWriter.MaxDomainLength);
        Assert.InRange(Write(ClientHelloShape.Classic517, name, seed: 0).Length, 518, ClientHelloWriter.MaxLength);
        Assert.Equal(
            ClientHelloWriter.MaxLength, Enumerable.Range(0, 32).Max(seed => Write(ClientHelloShape.PostQuantum, name, seed).Length));
    }

    [Fact]
    public void Extensions_are_grease_a_permutation_and_grease_again()
    {
        string[] expected =
        [
            "0000", "0005", "000a", "000b", "000d", "0010", "0012", "0017",
            "001b", "0023", "002b", "002d", "0033", "44cd", "fe0d", "ff01",
        ];
        var orders = new HashSet<string>();
        for (var seed = 0; seed < 40; seed++)
        {
            var types =
                Extensions(Write(ClientHelloShape.PostQuantum, "example.com", seed)).Select(e => e.Type.ToString("x4", null)).ToList();
            Assert.Matches("^([0-9a-f]a)\\1$", types[0]);
            Assert.Matches("^([0-9a-f]a)\\1$", types[^1]);
            Assert.NotEqual(types[0], types[^1]);
            var inner = types[1..^1];
            Assert.Equal(expected, inner.Order());
            orders.Add(string.Join(' ', inner));
        }
        Assert.Equal(40, orders.Count);
    }

    [Fact]
    public void The_key_share_holds_grease_a_post_quantum_key_in_range_and_x25519()
    {
        var body = Extensions(Write(ClientHelloShape.PostQuantum, "example.com", seed: 5)).Single(e => e.Type == 0x33).Body;
        Assert.Equal(1263, body.Length);
        Assert.Equal([0, 1, 0], body[4..7]);
        Assert.Equal([0x11, 0xec, 4, 0xc0], body[7..11]);
        Assert.Equal([0, 0x1d, 0, 0x20], body[(11 + 1216)..(15 + 1216)]);
        for (var i = 11; i < 11 + 1152; i += 3)
        {
            Assert.InRange(body[i] | (body[i + 1] & 15) << 8, 0, 3328);
            Assert.InRange(body[i + 1] >> 4 | body[i + 2] << 4, 0, 3328);
        }
        var groups = Extensions(Write(ClientHelloShape.PostQuantum, "example.com", seed: 5)).Single(e => e.Type == 0x0a).Body;
        Assert.Equal(body[2..4], groups[2..4]);
    }

    [Theory]
    [InlineData(ClientHelloShape.Classic517)]
    [InlineData(ClientHelloShape.PostQuantum)]
    public void Every_x25519_key_is_one_that_a_key_exchange_could_make(ClientHelloShape shape)
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var hello = Write(shape, "example.com", seed);
            Assert.True(ClientHello.TryParse(hello, out var parsed, out _));
            Assert.True(Ladder25519.IsInSubgroup(parsed.X25519Share));
            if (shape != ClientHelloShape.PostQuantum)
                continue;

            // Behind GREASE (5 bytes), the group, the length and the ML-KEM half; behind the ECH extension's type, suites, id and length.
            var shares = Extensions(hello).Single(e => e.Type == 0x33).Body;
            Assert.True(Ladder25519.IsInSubgroup(shares.AsSpan(2 + 5 + 4 + 1184, 32)));
            var ech = Extensions(hello).Single(e => e.Type == 0xfe0d).Body;
            Assert.True(Ladder25519.IsInSubgroup(ech.AsSpan(8, 32)));
        }
    }

    [Fact]
    public void A_name_or_buffer_of_the_wrong_length_is_refused()
    {
        var writer = new ClientHelloWriter(new RepeatableRandom(0).Fill);
        using var key = new HmacKey(Secret);
        var hello = new byte[ClientHelloWriter.MaxLength];
        Assert.Throws<ArgumentException>(() => writer.Write(hello, ClientHelloShape.PostQuantum, [], key, Time));
        Assert.Throws<ArgumentException>(() => writer.Write(hello, ClientHelloShape.PostQuantum, new byte[254], key, Time));
        Assert.Throws<ArgumentException>(
            () => writer.Write(new byte[ClientHelloWriter.MaxLength - 1], ClientHelloShape.PostQuantum, "a.b"u8, key, Time));
    }

    internal static byte[] Write(ClientHelloShape shape, string domain, int seed)
    {
        var hello = new byte[ClientHelloWriter.MaxLength];
        using var key = new HmacKey(Secret);
        var writer = new ClientHelloWriter(new RepeatableRandom(seed).Fill);
        return hello[..writer.Write(hello, shape, Encoding.ASCII.GetBytes(domain), key, Time)];
    }

    private static List<(int Type, byte[] Body)> Extensions(byte[] hello)
    {
        var found = new List<(int, byte[])>();
        // 76 bytes to the suites, 2 + 32 of suites, 2 of compression, 2 of length
        for (var position = 114; position < hello.Length;)
        {
            var type = BinaryPrimitives.ReadUInt16BigEndian(hello.AsSpan(position));
            var length = BinaryPrimitives.ReadUInt16BigEndian(hello.AsSpan(position + 2));
            found.Add((type, hello[(position + 4)..(position + 4 + length)]));
            position += 4 + length;
        }
        return found;
    }
}
