using System.Security.Cryptography;
using Xunit;

namespace Portico.Protocol.Tests.Crypto;

public class Ladder25519Tests
{
    private const string Base = "0900000000000000000000000000000000000000000000000000000000000000";

    // RFC 7748 section 5.2.
    [Theory]
    [InlineData(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")]
    [InlineData(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")]
    [InlineData(Base, Base, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")]
    public void Vectors_of_rfc_7748_come_out(string scalar, string u, string expected) =>
        Assert.Equal(expected, Convert.ToHexStringLower(Ladder25519.Exchange(Convert.FromHexString(scalar), Convert.FromHexString(u))));

    [Fact]
    public void A_key_exchange_makes_keys_of_the_subgroup()
    {
        for (var i = 0; i < 20; i++)
            Assert.True(Ladder25519.IsInSubgroup(Ladder25519.Exchange(RandomNumberGenerator.GetBytes(32), Convert.FromHexString(Base))));
    }

    // Of order 2, 4 and 8: no key exchange makes them.
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    public void Points_of_small_order_are_not_in_it(string u) => Assert.False(Ladder25519.IsInSubgroup(Convert.FromHexString(u)));
}
