using System.Numerics;
using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>
/// Whose secret it probably is: those that were right last, of all and of the client's own network.
/// Only ever says what to try first; a user who comes back is found in a few trials then,
/// however many there are and however many strangers wait.
/// </summary>
/// <remarks>
/// 4 bytes for each place, two places for each secret, 32 KB where they are few (unless all fit into one network's places),
/// per loop, as networks come. The places of a network have no label:
/// clients of other networks that share them cost each other trials, never a wrong answer. The list of those that
/// were right last grows with the secrets, so that trying it is at most a thirtieth of what a stranger costs anyway.
/// </remarks>
internal sealed class TrialHints
{
    private const int LeastRecent = 32, MostRecent = 256, SecretsPerRecent = 32;

    // 8 MB in each loop, for half a million users.
    private const int MostNetworks = 1 << 18, LeastNetworks = 1 << 10, Together = 8;

    // Indices of secrets plus 1, the latest first; 0 = none.
    private readonly int[] _recent;

    // The places of so many networks together, made when the first of them comes.
    private readonly int[]?[] _near;
    private readonly int _networks;

    /// <summary>Hints for a listener of so many secrets.</summary>
    public TrialHints(int secrets)
    {
        var networks = (int)Math.Clamp(BitOperations.RoundUpToPowerOf2((uint)(2 * secrets / PerNetwork) + 1), LeastNetworks, MostNetworks);
        _networks = secrets > PerNetwork ? networks : 1;
        _near = new int[]?[1 + ((_networks - 1) / Together)];
        _recent = new int[Math.Clamp(secrets / SecretsPerRecent, LeastRecent, MostRecent)];
    }

    /// <summary>
    /// The same hints for other secrets. Called beside the loop whose hints they are: one that changes meanwhile may be there twice or
    /// be missing, as it may be by chance.
    /// </summary>
    /// <param name="before">Hints until now.</param>
    /// <param name="secrets">How many there are now.</param>
    /// <param name="places">Where each of the former secrets is among them; -1 = it is gone.</param>
    public TrialHints(TrialHints before, int secrets, ReadOnlySpan<int> places)
        : this(secrets)
    {
        // As sets are chosen by the low bits of a hash, each set of fewer is in several of more. The only one there was is no network's.
        for (var network = 0; network < (before._networks == 1 ? 1 : _networks); network++)
        {
            var from = before.Near(network & (before._networks - 1));
            for (var i = 0; i < from.Length; i++) Places(network)[i] = Moved(from[i], places);
        }

        for (var i = 0; i < Math.Min(_recent.Length, before._recent.Length); i++) _recent[i] = Moved(before._recent[i], places);
    }

    /// <summary>Hints for one network at most.</summary>
    public const int PerNetwork = 8;

    /// <summary>So many are tried as soon as a client's bytes are there; the others wait for a turn.</summary>
    public const int AtOnce = PerNetwork + LeastRecent;

    /// <summary>Most hints that <see cref="For"/> gives.</summary>
    public const int Most = MostRecent + PerNetwork;

    /// <summary>Writes the indices of the secrets to try first.</summary>
    /// <param name="network">The client's.</param>
    /// <param name="indices">Room for <see cref="Most"/>.</param>
    /// <returns>How many there are.</returns>
    public int For(ClientNetwork network, Span<int> indices)
    {
        var count = ForNetwork(network, indices);
        foreach (var place in _recent)
        {
            if (place != 0 && !indices[..count].Contains(place - 1)) indices[count++] = place - 1;
        }

        return count;
    }

    /// <summary>Writes the indices of the secrets that were right last on the client's own network.</summary>
    /// <param name="network">The client's.</param>
    /// <param name="indices">Room for <see cref="PerNetwork"/>.</param>
    /// <returns>How many there are.</returns>
    public int ForNetwork(ClientNetwork network, Span<int> indices)
    {
        var count = 0;
        foreach (var place in Near(NumberOf(network)))
        {
            if (place != 0) indices[count++] = place - 1;
        }

        return count;
    }

    /// <summary>This secret was a client's.</summary>
    public void Remember(ClientNetwork network, int index)
    {
        PutFirst(Places(NumberOf(network)), index + 1);
        PutFirst(_recent, index + 1);
    }

    private static int Moved(int place, ReadOnlySpan<int> places) => place == 0 ? 0 : places[place - 1] + 1;

    private static void PutFirst(Span<int> places, int place)
    {
        var at = places.IndexOf(place);
        if (at < 0) at = places.Length - 1;
        places[..at].CopyTo(places[1..]);
        places[0] = place;
    }

    private int NumberOf(ClientNetwork network) => network.GetHashCode() & (_networks - 1);

    // Empty if none of those together has come.
    private Span<int> Near(int network) =>
        _near[network / Together] is { } places ? places.AsSpan(network % Together * PerNetwork, PerNetwork) : default;

    private Span<int> Places(int network)
    {
        _near[network / Together] ??= new int[Together * PerNetwork];
        return Near(network);
    }
}
