namespace Portico.TestKit.Statistics;

/// <summary>Pearson's tests: whether counts fell by the same chances.</summary>
public static class ChiSquare
{
    /// <summary>How probable counts at least as uneven are if each value is equally likely.</summary>
    public static double ProbabilityOfUniform(int[] counts)
    {
        var expected = counts.Sum() / (double)counts.Length;
        var statistic = counts.Sum(count => (count - expected) * (count - expected) / expected);
        return UpperGamma((counts.Length - 1) / 2.0, statistic / 2);
    }

    /// <summary>How probable samples at least as different are if both come from one distribution.</summary>
    /// <remarks>Values of which fewer than ten are expected in both together count as one, as the approximation wants it.</remarks>
    public static double ProbabilityOfSame(IReadOnlyCollection<int> first, IReadOnlyCollection<int> second)
    {
        int[] values = [.. first.Concat(second).GroupBy(value => value).OrderBy(group => group.Count()).Select(group => group.Key)];
        var cells = new List<(double First, double Second)>();
        var (ofFirst, ofSecond) = (0.0, 0.0);
        foreach (var value in values)
        {
            (ofFirst, ofSecond) = (ofFirst + first.Count(value.Equals), ofSecond + second.Count(value.Equals));
            if (ofFirst + ofSecond < 10) continue;
            cells.Add((ofFirst, ofSecond));
            (ofFirst, ofSecond) = (0, 0);
        }

        if (cells.Count < 2) return 1;
        var share = first.Count / (double)(first.Count + second.Count);
        var statistic = cells.Sum(cell =>
        {
            var both = cell.First + cell.Second;
            var off = cell.First - (both * share);
            return (off * off / (both * share)) + (off * off / (both * (1 - share)));
        });
        return UpperGamma((cells.Count - 1) / 2.0, statistic / 2);
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
