using Portico.TestKit.Statistics;
using Xunit;

namespace Portico.IntegrationTests.TestKit;

/// <summary>The tests of samples say of samples that are known what is known of them.</summary>
public sealed class TwoSamplesTests
{
    [Fact]
    public void Of_samples_that_alternate_both_say_that_they_are_one()
    {
        double[] odd = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19], even = [2, 4, 6, 8, 10, 12, 14, 16, 18, 20];

        // 45 of 100 pairs, of a variance of 175.
        Assert.Equal(0.7055, TwoSamples.ProbabilityOfSamePlace(odd, even), 4);
        Assert.Equal(1, TwoSamples.ProbabilityOfSameShape(odd, even), 4);
    }

    [Fact]
    public void One_that_lies_half_its_width_higher_is_noticed_by_both()
    {
        var low = Enumerable.Range(0, 100).Select(value => (double)value).ToArray();
        var high = low.Select(value => value + 50).ToArray();

        Assert.InRange(TwoSamples.ProbabilityOfSamePlace(low, high), 0, 1e-12);
        Assert.InRange(TwoSamples.ProbabilityOfSameShape(low, high), 1.0e-11, 1.1e-11); // a distance of 0.5
    }

    [Fact]
    public void One_that_is_wider_around_the_same_place_is_noticed_by_its_shape_alone()
    {
        var narrow = Enumerable.Range(0, 200).Select(value => value - 99.5).ToArray();
        var wide = narrow.Select(value => value * 3).ToArray();

        Assert.InRange(TwoSamples.ProbabilityOfSamePlace(narrow, wide), 0.9, 1);
        Assert.InRange(TwoSamples.ProbabilityOfSameShape(narrow, wide), 0, 1e-6);
    }

    [Fact]
    public void Samples_of_one_value_are_one()
    {
        double[] same = [5, 5, 5, 5];

        Assert.Equal(1, TwoSamples.ProbabilityOfSamePlace(same, same));
        Assert.Equal(1, TwoSamples.ProbabilityOfSameShape(same, same));
    }

    // As often as its level says, and not much more often: of 400 pairs of samples some 20 look different at 0.05.
    [Fact]
    public void Of_samples_of_one_source_few_look_different()
    {
        var random = new Random(7);
        var (places, shapes) = (0, 0);
        for (var i = 0; i < 400; i++)
        {
            var (first, second) = (Sample(), Sample());
            if (TwoSamples.ProbabilityOfSamePlace(first, second) < 0.05) places++;
            if (TwoSamples.ProbabilityOfSameShape(first, second) < 0.05) shapes++;
        }

        Assert.InRange(places, 8, 36);
        Assert.InRange(shapes, 5, 36);

        // Whole numbers: many are there twice.
        double[] Sample() => [.. Enumerable.Range(0, 300).Select(_ => (double)random.Next(1000))];
    }
}
