using System.Security.Cryptography;

namespace Portico.Core.Background;

/// <summary>When one source is asked next, and whether it is failing. Times are the updater's own, counted from its start.</summary>
internal sealed class RefreshSchedule(TimeSpan refresh)
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);

    /// <summary>When it is asked next; at once after the start.</summary>
    public TimeSpan Due { get; private set; }

    /// <summary>Failures since the last success.</summary>
    public int Failures { get; private set; }

    /// <summary>Next in <c>refresh</c>, give or take a tenth: proxies that were started together must not stay together.</summary>
    /// <returns>True if it had failed before.</returns>
    public bool Succeeded(TimeSpan now)
    {
        Due = now + (refresh * (0.9 + (0.2 * Fraction())));
        var wasFailing = Failures > 0;
        Failures = 0;
        return wasFailing;
    }

    /// <summary>Next in 5 s, twice as long after each further failure, at most <c>refresh</c>; of that, a random half to all.</summary>
    /// <returns>True for the first of several failures.</returns>
    public bool Failed(TimeSpan now)
    {
        var pause = FirstRetry * Math.Pow(2, Math.Min(Failures, 20)); // 20: far beyond any refresh, far from overflow
        Due = now + ((pause < refresh ? pause : refresh) * (0.5 + (0.5 * Fraction())));
        return Failures++ == 0;
    }

    /// <summary>Due now: what it brought last seems to be outdated.</summary>
    public void BringForward(TimeSpan now) => Due = Due < now ? Due : now;

    private static double Fraction() => RandomNumberGenerator.GetInt32(1001) / 1000.0;
}
