using System.Security.Cryptography;
using Portico.Core.Cover.Learning;
using Portico.Protocol.Crypto;
using Xunit;

namespace Portico.Core.Tests.Cover.Learning;

public sealed class SignatureLengthsTests
{
    private const int Full = 72;

    // Chi-square, three degrees of freedom, p = 0.001 is 16.27; a run in a million may fail by chance.
    private const double Critical = 30.7;

    private readonly RandomKeystream _random = new();

    [Fact]
    public void Lengths_are_drawn_as_often_as_real_signatures_have_them()
    {
        const int Count = 4000;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var real = Enumerable.Range(0, Count)
            .Select(i => key.SignData(BitConverter.GetBytes(i), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence).Length);
        var drawn = Enumerable.Range(0, Count).Select(_ => SignatureLengths.Draw(_random, Full));

        Assert.InRange(Distance(Histogram(real), Histogram(drawn)), 0, Critical);
    }

    [Theory]
    [InlineData(new[] { 72, 71, 71, 70 }, 72)]
    [InlineData(new[] { 71, 71, 71, 70 }, 72)] // the middle one is the most frequent: 72 was only not seen
    [InlineData(new[] { 71, 70, 70, 70 }, 71)]
    [InlineData(new[] { 71, 70, 69, 70 }, 71)]
    [InlineData(new[] { 72, 71, 71, 71, 70, 69 }, 72)]
    public void A_few_samples_tell_the_full_length(int[] samples, int expected) =>
        Assert.Equal(expected, SignatureLengths.FullLengthOf([.. samples]));

    [Theory]
    [InlineData(new[] { 640 })]
    [InlineData(new[] { 640, 640, 640, 640, 640, 640, 640, 640 })]
    [InlineData(new[] { 640, 700, 640, 700 })]
    public void One_length_and_lengths_far_apart_follow_no_law(int[] samples) => Assert.Null(SignatureLengths.FullLengthOf([.. samples]));

    [Fact]
    public void A_dozen_samples_of_a_cover_find_its_full_length_nearly_always()
    {
        var wrong = Enumerable.Range(0, 2000).Count(
            _ => SignatureLengths.FullLengthOf([.. Enumerable.Range(0, 12).Select(_ => SignatureLengths.Draw(_random, Full))]) != Full);

        Assert.InRange(wrong, 0, 100);
    }

    private static int[] Histogram(IEnumerable<int> lengths)
    {
        var counts = new int[4];
        foreach (var length in lengths) counts[Math.Clamp(Full - length, 0, 3)]++;
        return counts;
    }

    // Two samples against each other.
    private static double Distance(int[] one, int[] other) =>
        one.Zip(other, (a, b) => a + b == 0 ? 0 : Math.Pow(a - b, 2) / (a + b)).Sum();
}
