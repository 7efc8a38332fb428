using System.Numerics;
using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

public class X25519PointTests
{
    private static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;

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
            var made = u.ToArray();
            var isPoint = X25519Point.TryMake(made);

            var x = new BigInteger(u, isUnsigned: true) & (BigInteger.Pow(2, 255) - 1);
            Assert.Equal(x, new BigInteger(made, isUnsigned: true));
            var square = ((x * x * x) + (486662 * x * x) + x) % P;
            var root = RootOrNull(square);
            Assert.Equal(root is not null, isPoint);
            if (isPoint)
            {
                points++;
                Assert.Equal(square, root * root % P);
            }
        }
        // Five standard deviations of a fair coin.
        Assert.InRange(points, 420, 580);
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
            new byte[32], ToBytes(1), ToBytes(19), ToBytes(P - 1), ToBytes(P), ToBytes(P + 1), ToBytes(2 * P - 1), ToBytes(2 * P), ToBytes(2 * P + 37),
            ToBytes(BigInteger.Pow(2, 255)), ToBytes(BigInteger.Pow(2, 256) - 38), [.. Enumerable.Repeat((byte)0xff, 32)],
        ];
        byte[][] numbers = [.. extremes, .. RandomNumbers(seed: 7748, count: 40)];

        foreach (var x in numbers)
        {
            foreach (var y in numbers)
            {
                var (bigX, bigY) = (new BigInteger(x, isUnsigned: true), new BigInteger(y, isUnsigned: true));
                AssertIs((bigX + bigY) % P, Field25519.Read(x) + Field25519.Read(y));
                AssertIs(bigX * bigY % P, Field25519.Read(x) * Field25519.Read(y));
            }
        }

        static void AssertIs(BigInteger expected, Field25519 actual) => Assert.True(Field25519.Read(ToBytes(expected)).HasSameLimbs(actual.ToCanonical()), $"{expected}");
    }

    [Fact]
    public void Other_lengths_are_refused()
    {
        Assert.Throws<ArgumentException>(() => X25519Point.IsOnCurve(new byte[31]));
        Assert.Throws<ArgumentException>(() => X25519Point.TryMake(new byte[33]));
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
