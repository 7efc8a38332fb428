using Xunit;

namespace Portico.Core.Tests.Cover.Learning;

/// <summary>Pearson's test for equal frequencies.</summary>
internal static class ChiSquare
{
    /// <summary>How probable counts at least as uneven are if each value is equally likely.</summary>
    public static double ProbabilityOfUniform(int[] counts)
    {
        var expected = counts.Sum() / (double)counts.Length;
        var statistic = counts.Sum(count => (count - expected) * (count - expected) / expected);
        return UpperGamma((counts.Length - 1) / 2.0, statistic / 2);
    }

    /// <summary>
    /// The regularized upper incomplete gamma function Q(a, x):
    /// by its series for small x, by its continued fraction (Lentz) for large ones.
    /// </summary>
    public static double UpperGamma(double a, double x)
    {
        if (x <= 0) return 1;
        var scale = Math.Exp((a * Math.Log(x)) - x - LogGamma(a));
        if (x < a + 1)
        {
            double term = 1 / a, sum = term;
            for (var n = 1; n < 10_000 && term > sum * 1e-16; n++) sum += term *= x / (a + n);
            return 1 - (sum * scale);
        }

        const double Tiny = 1e-300;
        var b = x + 1 - a;
        var c = 1 / Tiny;
        var d = 1 / b;
        var fraction = d;
        for (var i = 1; i < 10_000; i++)
        {
            var an = -i * (i - a);
            b += 2;
            d = 1 / NotZero((an * d) + b);
            c = NotZero(b + (an / c));
            fraction *= d * c;
            if (Math.Abs((d * c) - 1) < 1e-16) break;
        }

        return fraction * scale;

        static double NotZero(double value) => Math.Abs(value) < Tiny ? Tiny : value;
    }

    // Stirling's series, shifted up to where four terms give all digits.
    private static double LogGamma(double a)
    {
        var shift = 0.0;
        for (; a < 20; a++) shift -= Math.Log(a);
        var square = a * a;
        return shift + ((a - 0.5) * Math.Log(a)) - a + (0.5 * Math.Log(2 * Math.PI))
            + ((1 / 12.0) - (1 / (360 * square)) + (1 / (1260 * square * square))) / a;
    }
}

public sealed class ChiSquareTests
{
    // From tables of the distribution with 255, 1 and 10 degrees of freedom.
    [Theory]
    [InlineData(255, 255, 0.4882)]
    [InlineData(255, 293.25, 0.05)]
    [InlineData(255, 310.46, 0.01)]
    [InlineData(255, 347.65, 0.0001)]
    [InlineData(1, 3.841, 0.05)]
    [InlineData(10, 29.588, 0.001)]
    public void Probabilities_are_those_of_the_tables(int freedom, double statistic, double probability) =>
        Assert.InRange(ChiSquare.UpperGamma(freedom / 2.0, statistic / 2) / probability, 0.97, 1.03);

    [Fact]
    public void Even_counts_are_certain_and_a_constant_byte_is_impossible()
    {
        Assert.Equal(1, ChiSquare.ProbabilityOfUniform([.. Enumerable.Repeat(40, 256)]), 6);
        Assert.True(ChiSquare.ProbabilityOfUniform([10_000, .. new int[255]]) < 1e-100);
        // One value in 256 twenty times too often is found, and counts as they fall by chance are not.
        Assert.InRange(ChiSquare.ProbabilityOfUniform([780, .. Enumerable.Repeat(36, 255)]), 0, 1e-9);
        Assert.InRange(ChiSquare.ProbabilityOfUniform([.. Enumerable.Range(0, 256).Select(i => i % 2 == 0 ? 33 : 45)]), 0.1, 0.9);
    }
}
