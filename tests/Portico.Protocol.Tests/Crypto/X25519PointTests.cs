using System.Numerics;
using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

public class X25519PointTests
{
    private static readonly BigInteger P = Ladder25519.P;

    [Theory]
    [InlineData("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")]
    [InlineData("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f")]
    [InlineData("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742")]
    // Section 5.2: the base point and its multiples after one and a thousand iterations.
    [InlineData("0900000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")]
    public void Keys_of_rfc_7748_are_points(string u) => Assert.True(X25519Point.IsOnCurve(Convert.FromHexString(u)));

    [Theory]
    // u = 2 lies on the twist; so does p - 1, whose v^2 is 486660.
    [InlineData("0200000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    // Not canonical: p, p + 9 (stands for the base point) and the base point with the top bit set.
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("0900000000000000000000000000000000000000000000000000000000000080")]
    [InlineData("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")]
    public void Numbers_no_key_exchange_produces_are_not_points(string u) => Assert.False(X25519Point.IsOnCurve(Convert.FromHexString(u)));

    [Fact]
    public void A_point_has_a_v_and_about_half_of_all_numbers_are_points()
    {
        var points = 0;
        foreach (var u in RandomNumbers(seed: 25519, count: 1000))
        {
            u[31] &= 127;
            var x = new BigInteger(u, isUnsigned: true);
            var isPoint = RootOrNull(((x * x * x) + (486662 * x * x) + x) % P) is not null;
            Assert.Equal(isPoint, X25519Point.IsOnCurve(u));
            Assert.Equal(isPoint, X25519Point.TryMake(u));
            points += isPoint ? 1 : 0;
        }
        // Five standard deviations of a fair coin.
        Assert.InRange(points, 420, 580);
    }

    [Fact]
    public void A_key_is_eight_times_the_point_that_was_drawn()
    {
        foreach (var u in RandomNumbers(seed: 8, count: 30))
        {
            var made = u.ToArray();
            if (!X25519Point.TryMake(made))
                continue;
            // A clamped scalar is 8 times something: 2^254 + 8 times the point against 2^251 + 1 times the key.
            byte[] scalar = [8, .. new byte[30], 64];
            byte[] eighth = [1, .. new byte[30], 8];
            Assert.Equal(Ladder25519.Exchange(scalar, u), Ladder25519.Multiple(eighth, made));
        }
    }

    [Fact]
    public void Order_times_key_is_the_neutral_element_for_each_of_a_thousand_keys()
    {
        var random = new RandomKeystream();
        var keys = new byte[X25519Point.BatchSize * X25519Point.Length];
        for (var batch = 0; batch < 1024 / X25519Point.BatchSize; batch++)
        {
            X25519Point.Fill(random, keys);
            Assert.All(keys.Chunk(X25519Point.Length), key => Assert.True(X25519Point.IsOnCurve(key) && Ladder25519.IsInSubgroup(key)));
        }
    }

    [Theory]
    // Of order 2, 4 and 8: doubled three times they are the neutral element, and no key.
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    public void Points_of_small_order_make_no_key(string u)
    {
        var bytes = Convert.FromHexString(u);
        Assert.True(X25519Point.IsOnCurve(bytes));
        Assert.False(X25519Point.TryMake(bytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(X25519Point.BatchSize)]
    public void A_batch_of_any_size_holds_different_keys(int count)
    {
        var keys = new byte[count * X25519Point.Length];
        X25519Point.Fill(new RandomKeystream(), keys);
        Assert.Equal(count, keys.Chunk(X25519Point.Length).Select(Convert.ToHexString).Distinct().Count());
        Assert.All(keys.Chunk(X25519Point.Length), key => Assert.True(Ladder25519.IsInSubgroup(key)));
    }

    /// <summary>As of real keys: every byte but the last is uniform, and so is each bit below the top one.</summary>
    [Fact]
    public void Keys_are_spread_like_those_of_key_exchanges()
    {
        var ours = Sample(8000);
        var random = new Random(7748);
        var scalar = new byte[32];
        var real = Enumerable.Range(0, 100).SelectMany(_ =>
        {
            random.NextBytes(scalar);
            return Ladder25519.Exchange(scalar, ToBytes(9));
        }).ToArray();

        foreach (var keys in (byte[][])[ours, real])
        {
            // Each a sum of squared deviations of 255 and 255 degrees of freedom; six standard deviations above the mean.
            Assert.InRange(ChiSquareOfBytes(keys), 0, 255 + (6 * Math.Sqrt(2 * 255)));
            Assert.InRange(ChiSquareOfBits(keys), 0, 255 + (6 * Math.Sqrt(2 * 255)));
            Assert.DoesNotContain(keys.Chunk(32), key => key[31] > 127);
        }

        static byte[] Sample(int count)
        {
            var random = new RandomKeystream();
            var keys = new byte[count * X25519Point.Length];
            var batch = X25519Point.BatchSize * X25519Point.Length;
            for (var at = 0; at < keys.Length; at += batch)
                X25519Point.Fill(random, keys.AsSpan(at, batch));
            return keys;
        }
    }

    private static double ChiSquareOfBytes(byte[] keys)
    {
        var counts = new int[256];
        var total = 0;
        foreach (var value in keys.Chunk(32).SelectMany(key => key[..31]))
        {
            counts[value]++;
            total++;
        }
        var expected = total / 256.0;
        return counts.Sum(count => (count - expected) * (count - expected) / expected);
    }

    private static double ChiSquareOfBits(byte[] keys)
    {
        var ones = new int[255];
        foreach (var key in keys.Chunk(32))
        {
            for (var bit = 0; bit < ones.Length; bit++)
                ones[bit] += key[bit / 8] >> (bit % 8) & 1;
        }
        var half = keys.Length / 64.0;
        return ones.Sum(count => 2 * (count - half) * (count - half) / half);
    }

    [Fact]
    public void Small_numbers_and_numbers_around_p_are_judged_by_the_same_rule()
    {
        for (var distance = -40; distance < 40; distance++)
        {
            var u = distance < 0 ? P + distance : distance;
            Assert.Equal(RootOrNull(((u * u * u) + (486662 * u * u) + u) % P) is not null, X25519Point.IsOnCurve(ToBytes(u)));
        }
    }

    [Fact]
    public void Field_sums_and_products_match_big_integers_up_to_the_largest_limbs()
    {
        byte[][] extremes =
        [
            new byte[32], ToBytes(1), ToBytes(19), ToBytes(P - 1), ToBytes(P),
            ToBytes(P + 1), ToBytes(2 * P - 1), ToBytes(2 * P), ToBytes(2 * P + 37),
            ToBytes(BigInteger.Pow(2, 255)), ToBytes(BigInteger.Pow(2, 256) - 38), [.. Enumerable.Repeat((byte)0xff, 32)],
        ];
        byte[][] numbers = [.. extremes, .. RandomNumbers(seed: 7748, count: 40)];

        foreach (var x in numbers)
        {
            AssertIs(BigInteger.ModPow(new BigInteger(x, isUnsigned: true), P - 2, P), Field25519.Read(x).Invert());
            Assert.Equal(new BigInteger(x, isUnsigned: true) % P == 0, Field25519.Read(x).IsZero);
            foreach (var y in numbers)
            {
                var (bigX, bigY) = (new BigInteger(x, isUnsigned: true), new BigInteger(y, isUnsigned: true));
                AssertIs((bigX + bigY) % P, Field25519.Read(x) + Field25519.Read(y));
                AssertIs(bigX * bigY % P, Field25519.Read(x) * Field25519.Read(y));
                AssertIs((((bigX - bigY) % P) + P) % P, Field25519.Read(x) - Field25519.Read(y));
            }
        }

        static void AssertIs(BigInteger expected, Field25519 actual)
        {
            var written = new byte[32];
            actual.ToCanonical().Write(written);
            Assert.Equal(ToBytes(expected), written);
        }
    }

    [Fact]
    public void Other_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>(() => X25519Point.IsOnCurve(new byte[31]));
        Assert.Throws<ArgumentException>(() => X25519Point.TryMake(new byte[33]));
        Assert.Throws<ArgumentException>(() => X25519Point.Fill(new RandomKeystream(), new byte[33]));
        Assert.Throws<ArgumentException>(
            () => X25519Point.Fill(new RandomKeystream(), new byte[(X25519Point.BatchSize + 1) * X25519Point.Length]));
    }

    // p = 5 modulo 8: a square's root is x^((p+3)/8), or that times a root of -1.
    private static BigInteger? RootOrNull(BigInteger square)
    {
        var root = BigInteger.ModPow(square, (P + 3) / 8, P);
        if (root * root % P == square)
            return root;
        root = root * BigInteger.ModPow(2, (P - 1) / 4, P) % P;
        return root * root % P == square ? root : null;
    }

    private static byte[] ToBytes(BigInteger number)
    {
        var bytes = new byte[32];
        Assert.True(number.TryWriteBytes(bytes, out _, isUnsigned: true));
        return bytes;
    }

    private static IEnumerable<byte[]> RandomNumbers(int seed, int count)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var bytes = new byte[32];
            random.NextBytes(bytes);
            yield return bytes;
        }
    }
}
