namespace Portico.TestKit.Statistics;

/// <summary>Whether two samples of measurements come from one distribution, whatever that is.</summary>
public static class TwoSamples
{
    /// <summary>
    /// Mann and Whitney's test: notices that one sample tends to be larger. The approximation by the normal distribution, with the
    /// correction for values that are there more than once; good from some twenty values on.
    /// </summary>
    /// <returns>How probable it is by chance that the samples lie at least as far apart.</returns>
    public static double ProbabilityOfSamePlace(IReadOnlyCollection<double> first, IReadOnlyCollection<double> second)
    {
        var all = first.Select(value => (Value: value, IsFirst: true)).Concat(second.Select(value => (Value: value, IsFirst: false)))
            .OrderBy(it => it.Value).ToArray();
        double ranks = 0, ties = 0, count = all.Length;
        for (int start = 0, end; start < all.Length; start = end)
        {
            for (end = start; end < all.Length && all[end].Value == all[start].Value; end++)
            {
            }

            // Equal values share the ranks from start + 1 to end.
            double size = end - start;
            ranks += (start + end + 1) / 2.0 * all[start..end].Count(it => it.IsFirst);
            ties += size * ((size * size) - 1);
        }

        double ofFirst = first.Count, ofSecond = second.Count;
        var wins = ranks - (ofFirst * (ofFirst + 1) / 2);
        var variance = ofFirst * ofSecond / 12 * (count + 1 - (ties / (count * (count - 1))));
        if (variance <= 0) return 1;
        var deviation = (wins - (ofFirst * ofSecond / 2)) / Math.Sqrt(variance);
        return ChiSquare.UpperGamma(0.5, deviation * deviation / 2);
    }

    /// <summary>Kolmogorov and Smirnov's test: notices any difference of the distributions, of place or of shape.</summary>
    /// <returns>How probable it is by chance that their distribution functions differ at least as much anywhere.</returns>
    public static double ProbabilityOfSameShape(IReadOnlyCollection<double> first, IReadOnlyCollection<double> second)
    {
        double[] ones = [.. first.Order()], others = [.. second.Order()];
        var most = 0.0;
        for (int i = 0, j = 0; i < ones.Length && j < others.Length;)
        {
            var value = Math.Min(ones[i], others[j]);
            while (i < ones.Length && ones[i] == value) i++;
            while (j < others.Length && others[j] == value) j++;
            most = Math.Max(most, Math.Abs(((double)i / ones.Length) - ((double)j / others.Length)));
        }

        var size = Math.Sqrt((double)ones.Length * others.Length / (ones.Length + others.Length));
        var scaled = (size + 0.12 + (0.11 / size)) * most;
        if (scaled < 0.2) return 1;
        var sum = 0.0;
        for (var k = 1; k <= 100; k++) sum += (k % 2 == 1 ? 2 : -2) * Math.Exp(-2 * k * k * scaled * scaled);
        return Math.Clamp(sum, 0, 1);
    }
}
