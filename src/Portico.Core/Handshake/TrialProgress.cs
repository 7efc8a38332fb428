namespace Portico.Core.Handshake;

/// <summary>How many of a listener's secrets were tried on one caller. Default: none.</summary>
internal struct TrialProgress
{
    // What the other sessions of a loop may have to wait for one caller. A slice is counted in trials, not timed: the judge stays a pure function.
    private const int SliceNs = 200_000;

    /// <summary>The first so many secrets are not this caller's.</summary>
    public int Tried { get; private set; }

    /// <summary>Takes the next slice of trials, at least one.</summary>
    /// <param name="secrets">How many there are.</param>
    /// <param name="trialNs">What one trial costs, in nanoseconds.</param>
    /// <returns>Indices into the secrets; all of them count as tried now.</returns>
    public Range TakeSlice(int secrets, int trialNs)
    {
        var first = Tried;
        Tried += Math.Min(secrets - first, Math.Max(1, SliceNs / trialNs));
        return first..Tried;
    }
}
