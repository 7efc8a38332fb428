using System.Runtime.CompilerServices;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

public class AesCtrTests
{
    private static readonly byte[] Key = Convert.FromHexString("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
    private static readonly byte[] Iv = Convert.FromHexString("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    private static readonly byte[] OtherKey = [.. Key.Reverse()];

    [Fact]
    public void The_nist_example_comes_out_of_both_twins()
    {
        // NIST SP 800-38A, F.5.5.
        var plain = Convert.FromHexString(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
                + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
        var cipher = Convert.FromHexString(
            "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
                + "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");

        Assert.Equal(cipher, Dispatched(Iv, plain));
        Assert.Equal(cipher, Portable(Iv, plain));
    }

    [Fact]
    public void Recorded_streams_are_continued_chunk_by_chunk_in_both_directions()
    {
        foreach (var item in Vectors.Cases("obfuscated2.json", "cases"))
        {
            // The client's stream has already covered the 64-byte header (spec/01 section 2.2).
            var toServer = new AesCtr(item.Hex("c2s_key"), item.Hex("c2s_iv"));
            var header = item.Hex("header");
            toServer.Transform(header);
            Assert.Equal(item.Hex("decrypted_header"), header);
            AssertChunks(item.GetProperty("c2s"), ref toServer);

            var toClient = new AesCtr(item.Hex("s2c_key"), item.Hex("s2c_iv"));
            AssertChunks(item.GetProperty("s2c"), ref toClient);
        }
    }

    [Theory]
    [InlineData("00000000000000000000000000000000")]
    [InlineData("0123456789abcdeffffffffffffffffd")]
    [InlineData("0123456789abcdeffffffffffffffff1")]
    [InlineData("fffffffffffffffffffffffffffffffe")]
    [InlineData("ffffffffffffffffffffffffffffffff")]
    public void Twins_agree_at_every_length_and_place_in_a_block(string iv)
    {
        var bytes = Pattern(16 + 300);
        for (var skipped = 0; skipped < 16; skipped++)
        {
            for (var length = 0; length <= 300; length++)
            {
                var one = new AesCtr(Key, Convert.FromHexString(iv));
                var two = one;
                one.Skip(skipped);
                two.Skip(skipped);
                var expected = new byte[length];
                AesCtr.TransformPortable(ref two, bytes.AsSpan(skipped, length), expected);

                var actual = bytes.AsSpan(skipped, length).ToArray();
                one.Transform(actual);

                Assert.Equal(expected, actual);
                AssertSamePosition(ref two, ref one);
            }
        }
    }

    [Fact]
    public void The_counter_carries_through_all_128_bits()
    {
        // After the last block comes block zero; after a full low half the high half counts.
        AssertFollows("ffffffffffffffffffffffffffffffff", "00000000000000000000000000000000");
        AssertFollows("0000000000000007ffffffffffffffff", "00000000000000080000000000000000");

        static void AssertFollows(string iv, string nextIv)
        {
            var two = Dispatched(Convert.FromHexString(iv), new byte[32]);
            Assert.Equal(Dispatched(Convert.FromHexString(nextIv), new byte[16]), two[16..]);
        }
    }

    [Fact]
    public void Splits_do_not_matter()
    {
        Prop.ForAll(Gen.ListOf(Gen.Choose(0, 700)).ToArbitrary(), lengths =>
        {
            var whole = Pattern(lengths.Sum());
            var split = whole.ToArray();
            var expected = Portable(Iv, whole);

            var stream = new AesCtr(Key, Iv);
            var at = 0;
            foreach (var length in lengths)
            {
                stream.Transform(split.AsSpan(at, length));
                at += length;
            }
            return split.AsSpan().SequenceEqual(expected);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Skipping_is_the_same_as_transforming_bytes_nobody_reads()
    {
        Prop.ForAll(Gen.ListOf(Gen.Choose(0, 400)).ToArbitrary(), lengths =>
        {
            var skipping = new AesCtr(Key, Iv);
            var reading = skipping;
            foreach (var length in lengths)
            {
                skipping.Skip(length);
                reading.Transform(new byte[length]);
            }
            return NextBytes(ref skipping).SequenceEqual(NextBytes(ref reading));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(5, 5)]
    [InlineData(15, 15)]
    [InlineData(0, 7)]
    [InlineData(9, 2)]
    public void Both_streams_in_one_pass_equal_one_after_the_other(int firstSkipped, int secondSkipped)
    {
        // The first counter carries inside a batch, the second does not.
        var firstIv = Convert.FromHexString("00000000000000fffffffffffffffffa");
        for (var length = 0; length <= 300; length++)
        {
            var first = new AesCtr(Key, firstIv);
            var second = new AesCtr(OtherKey, Iv);
            first.Skip(firstSkipped);
            second.Skip(secondSkipped);
            AesCtr firstAlone = first, secondAlone = second;
            var expected = Pattern(length);
            AesCtr.TransformPortable(ref firstAlone, expected, expected);
            AesCtr.TransformPortable(ref secondAlone, expected, expected);

            var actual = Pattern(length);
            AesCtr.TransformBoth(ref first, ref second, actual);

            Assert.Equal(expected, actual);
            AssertSamePosition(ref firstAlone, ref first);
            AssertSamePosition(ref secondAlone, ref second);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(16)]
    [InlineData(200)]
    public void The_output_may_begin_before_the_input_in_one_buffer(int distance)
    {
        var buffer = Pattern(1000);
        var expected = Dispatched(Iv, buffer[distance..]);
        var portable = buffer.ToArray();

        var stream = new AesCtr(Key, Iv);
        stream.Transform(buffer.AsSpan(distance), buffer);
        stream = new AesCtr(Key, Iv);
        AesCtr.TransformPortable(ref stream, portable.AsSpan(distance), portable);

        Assert.Equal(expected, buffer[..expected.Length]);
        Assert.Equal(expected, portable[..expected.Length]);
    }

    [Fact]
    public void Misuse_is_refused_before_a_byte_is_changed()
    {
        var buffer = new byte[64];
        var stream = new AesCtr(Key, Iv);

        Assert.Throws<ArgumentException>(() => stream.Transform(buffer.AsSpan(0, 60), buffer.AsSpan(4)));
        Assert.Throws<ArgumentException>(() => stream.Transform(buffer, new byte[63]));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Skip(-1));
        Assert.Throws<ArgumentException>(() => new AesCtr(Key.AsSpan(1), Iv));
        Assert.Throws<ArgumentException>(() => new AesCtr(Key, Iv.AsSpan(1)));

        Assert.All(buffer, b => Assert.Equal(0, b));
        Assert.Equal(Portable(Iv, new byte[16]), NextBytes(ref stream));
    }

    [Fact]
    public void An_idle_stream_is_56_bytes() => Assert.Equal(56, Unsafe.SizeOf<AesCtr>());

    [Fact]
    public void The_data_path_allocates_nothing()
    {
        // The portable twin does, and says so.
        if (!AesRoundKeys.IsSupported)
            return;
        var bytes = new byte[301];
        var first = new AesCtr(Key, Iv);
        var second = new AesCtr(OtherKey, Iv);
        var before = GC.GetAllocatedBytesForCurrentThread();

        first.Transform(bytes);
        first.Transform(bytes, bytes);
        second.Skip(602);
        AesCtr.TransformBoth(ref first, ref second, bytes);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void AssertChunks(JsonElement chunks, ref AesCtr stream)
    {
        var portable = stream;
        foreach (var chunk in chunks.EnumerateArray())
        {
            var cipher = chunk.Hex("cipher");
            var plain = cipher.ToArray();
            stream.Transform(plain);
            Assert.Equal(chunk.Hex("plain"), plain);

            AesCtr.TransformPortable(ref portable, cipher, cipher);
            Assert.Equal(chunk.Hex("plain"), cipher);
        }
    }

    private static void AssertSamePosition(ref AesCtr expected, ref AesCtr actual) =>
        Assert.Equal(NextBytes(ref expected), NextBytes(ref actual));

    private static byte[] NextBytes(ref AesCtr stream)
    {
        var bytes = new byte[16];
        AesCtr.TransformPortable(ref stream, bytes, bytes);
        return bytes;
    }

    private static byte[] Dispatched(byte[] iv, byte[] bytes)
    {
        var stream = new AesCtr(Key, iv);
        var result = new byte[bytes.Length];
        stream.Transform(bytes, result);
        return result;
    }

    private static byte[] Portable(byte[] iv, byte[] bytes)
    {
        var stream = new AesCtr(Key, iv);
        var result = new byte[bytes.Length];
        AesCtr.TransformPortable(ref stream, bytes, result);
        return result;
    }

    private static byte[] Pattern(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 167 + i / 256))];
}
