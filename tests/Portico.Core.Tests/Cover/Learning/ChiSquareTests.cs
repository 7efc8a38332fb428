using Portico.TestKit.Statistics;
using Xunit;

namespace Portico.Core.Tests.Cover.Learning;

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

    [Fact]
    public void Samples_of_one_law_are_told_from_those_of_two()
    {
        static int[] Of(int low, int middle, int high) =>
            [.. Enumerable.Repeat(70, low), .. Enumerable.Repeat(71, middle), .. Enumerable.Repeat(72, high)];

        Assert.InRange(ChiSquare.ProbabilityOfSame(Of(75, 150, 75), Of(70, 155, 75)), 0.5, 1);
        Assert.InRange(ChiSquare.ProbabilityOfSame(Of(75, 150, 75), Of(100, 100, 100)), 0, 0.001);
        Assert.InRange(ChiSquare.ProbabilityOfSame(Of(1, 150, 150), Of(0, 150, 151)), 0.9, 1);
        Assert.Equal(1, ChiSquare.ProbabilityOfSame(Of(0, 300, 0), Of(0, 300, 0)));
        Assert.InRange(ChiSquare.ProbabilityOfSame(Of(0, 300, 0), Of(0, 0, 300)), 0, 1e-9);
    }
}
