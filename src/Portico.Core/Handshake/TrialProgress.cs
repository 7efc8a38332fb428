using Portico.Core.Admission;
using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>How many of a listener's secrets were tried on one caller. Default: none.</summary>
/// <param name="network">Where the caller is, for hints and limits; default = unknown.</param>
/// <param name="extent">Which secrets it is tried with.</param>
internal struct TrialProgress(ClientNetwork network, TrialExtent extent = TrialExtent.All)
{
    /// <summary>What the other sessions of a loop may have to wait for one caller, in nanoseconds.</summary>
    /// <remarks>A slice is counted in trials, not timed: the judge stays a pure function.</remarks>
    public const int SliceNs = 200_000;

    private int _hinted;

    /// <summary>Where the caller is.</summary>
    public readonly ClientNetwork Network => network;

    /// <summary>Which secrets the caller is tried with.</summary>
    public readonly TrialExtent Extent => extent;

    /// <summary>It has cost trials of all secrets, or some of them.</summary>
    public readonly bool HasBegun => Tried > 0 || Left > 0;

    /// <summary>The first so many secrets are not this caller's.</summary>
    public int Tried { get; private set; }

    /// <summary>So many are left to be tried.</summary>
    public int Left { get; private set; }

    /// <summary>What hints there were have been tried.</summary>
    public bool HintsTried { get; private set; }

    /// <summary>Takes the next slice of trials, at least one.</summary>
    /// <param name="secrets">How many there are for this caller.</param>
    /// <param name="trialNs">What one trial costs, in nanoseconds.</param>
    /// <returns>Indices into the secrets; all of them count as tried now.</returns>
    public Range TakeSlice(int secrets, int trialNs)
    {
        var first = Tried;
        Tried += Math.Min(secrets - first, Math.Max(1, SliceNs / trialNs));
        Left = secrets - Tried;
        return first..Tried;
    }

    /// <summary>
    /// Takes the next slice of hints, which count as no trials:
    /// a client that may be found by one goes first (<see cref="TrialQueue"/>).
    /// </summary>
    /// <param name="secrets">How many secrets there are for this caller.</param>
    /// <param name="hints">How many hints.</param>
    /// <param name="trialNs">What one trial costs, in nanoseconds.</param>
    /// <returns>Indices into the hints.</returns>
    public Range TakeHints(int secrets, int hints, int trialNs)
    {
        Left = secrets;
        var first = Math.Min(_hinted, hints);
        _hinted = Math.Min(hints, first + (first == 0 ? TrialHints.AtOnce : SliceNs / trialNs));
        HintsTried = _hinted == hints;
        return first.._hinted;
    }
}
