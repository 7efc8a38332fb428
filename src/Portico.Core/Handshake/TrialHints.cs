using System.Numerics;
using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>
/// Whose secret it probably is: those that were right last, of all and of the client's own network. Only ever says what to try first; a user who comes back
/// is found in a few trials then, however many there are and however many strangers wait.
/// </summary>
/// <remarks>
/// 4 bytes for each place, two places for each secret, per loop. The places of a network have no label: clients of other networks that share them cost
/// each other trials, never a wrong answer.
/// </remarks>
internal sealed class TrialHints
{
    private const int MostRecent = 32, PerNetwork = 8;

    // 8 MB in each loop, for half a million users.
    private const int MostNetworks = 1 << 18;

    // Indices of secrets plus 1; 0 = none.
    private readonly int[] _recent = new int[MostRecent];
    private readonly int[] _near;
    private int _oldest;

    /// <summary>Hints for a listener of so many secrets.</summary>
    public TrialHints(int secrets)
    {
        var networks = (int)Math.Min(MostNetworks, BitOperations.RoundUpToPowerOf2((uint)(2 * secrets / PerNetwork) + 1));
        _near = new int[networks * PerNetwork];
    }

    /// <summary>Most hints that <see cref="For"/> gives.</summary>
    public const int Most = MostRecent + PerNetwork;

    /// <summary>Writes the indices of the secrets to try first.</summary>
    /// <param name="network">The client's.</param>
    /// <param name="indices">Room for <see cref="Most"/>.</param>
    /// <returns>How many there are.</returns>
    public int For(ClientNetwork network, Span<int> indices)
    {
        var count = 0;
        foreach (var place in Near(network))
        {
            if (place != 0) indices[count++] = place - 1;
        }

        foreach (var place in _recent)
        {
            if (place != 0 && !indices[..count].Contains(place - 1)) indices[count++] = place - 1;
        }

        return count;
    }

    /// <summary>This secret was a client's.</summary>
    public void Remember(ClientNetwork network, int index)
    {
        var place = index + 1;
        var near = Near(network);
        var at = near.IndexOf(place);
        if (at < 0) at = near.Length - 1;
        near[..at].CopyTo(near[1..]);
        near[0] = place;

        if (_recent.AsSpan().Contains(place)) return;
        _recent[_oldest] = place;
        _oldest = (_oldest + 1) % MostRecent;
    }

    private Span<int> Near(ClientNetwork network)
    {
        var sets = _near.Length / PerNetwork;
        return _near.AsSpan((network.GetHashCode() & (sets - 1)) * PerNetwork, PerNetwork);
    }
}
