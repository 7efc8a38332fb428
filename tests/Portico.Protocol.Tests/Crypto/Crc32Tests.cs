using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

public class Crc32Tests
{
    [Fact]
    public void The_check_value_of_the_algorithm_comes_out()
    {
        Assert.Equal(0xCBF43926, Crc32.Compute("123456789"u8));
        Assert.Equal(0u, Crc32.Compute([]));
    }

    [Fact]
    public void Recorded_frames_carry_their_checksum()
    {
        foreach (var item in Vectors.Cases("mtp_full.json", "frames"))
        {
            // The checksum is the frame's last four bytes and covers the rest (spec/03).
            var frame = item.Hex("frame");
            Assert.Equal(item.Hex("crc32_le"), BitConverter.GetBytes(Crc32.Compute(frame.AsSpan(0, frame.Length - 4))));
        }
    }

    [Fact]
    public void Every_length_agrees_with_the_definition_bit_by_bit()
    {
        var bytes = Pattern(300);
        for (var length = 0; length <= bytes.Length; length++)
        {
            var part = bytes.AsSpan(bytes.Length - length);
            Assert.Equal(BitByBit(part), Crc32.Compute(part));
            Assert.Equal(BitByBit(part), ~Crc32.AppendPortable(uint.MaxValue, part));
        }
    }

    [Fact]
    public void Splits_do_not_matter()
    {
        var bytes = Pattern(300);
        for (var length = 0; length <= bytes.Length; length += 7)
        {
            var whole = BitByBit(bytes.AsSpan(0, length));
            for (var at = 0; at <= length; at++)
                Assert.Equal(whole, Crc32.Append(Crc32.Compute(bytes.AsSpan(0, at)), bytes.AsSpan(at, length - at)));
        }
    }

    [Fact]
    public void A_long_message_agrees_too()
    {
        var bytes = Pattern(1_000_003);
        Assert.Equal(BitByBit(bytes), Crc32.Compute(bytes));
    }

    private static uint BitByBit(ReadOnlySpan<byte> bytes)
    {
        var register = uint.MaxValue;
        foreach (var b in bytes)
        {
            register ^= b;
            for (var bit = 0; bit < 8; bit++)
                register = (register >> 1) ^ (0xEDB88320 & (0 - (register & 1)));
        }
        return ~register;
    }

    private static byte[] Pattern(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 167 + i / 256))];
}
