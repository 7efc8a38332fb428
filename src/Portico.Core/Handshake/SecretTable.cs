using System.Collections.Immutable;
using Portico.Core.Users;
using Portico.Protocol.Secrets;

namespace Portico.Core.Handshake;

/// <summary>The secrets of one listener in the order in which callers are tried with them. Immutable, one for all loops.</summary>
/// <remarks>First come those that any hello may be signed with, then those with a domain of their own, domain by domain.</remarks>
internal sealed class SecretTable
{
    // No array of secrets alone beside it: 8 bytes for each of perhaps a hundred thousand, and a trial takes longer than the way to one.
    private readonly ImmutableArray<Credential> _credentials;

    /// <param name="credentials">Kept as they are where they are in this order already.</param>
    public SecretTable(ImmutableArray<Credential> credentials)
    {
        General = credentials.Count(credential => credential.Host.IsNone);
        _credentials = Ordered(credentials);
    }

    /// <summary>
    /// In the order of a table: by domain, of any case, those without one first; of one domain by name, a user's former secret behind the
    /// one of now.
    /// </summary>
    public static ImmutableArray<Credential> Ordered(ImmutableArray<Credential> credentials)
    {
        for (var i = 1; i < credentials.Length; i++)
        {
            if (credentials[i - 1].Host.CompareTo(credentials[i].Host) > 0)
                return credentials.Sort(Compare);
        }

        return credentials;
    }

    private static int Compare(Credential one, Credential other)
    {
        if (one.Host.CompareTo(other.Host) is not 0 and var order) return order;
        if (string.CompareOrdinal(one.Name, other.Name) is not 0 and var byName) return byName;
        return (one.Until is not null).CompareTo(other.Until is not null);
    }

    /// <summary>How many there are.</summary>
    public int Count => _credentials.Length;

    /// <summary>How many are without a domain.</summary>
    public int General { get; }

    /// <summary>The secrets of some.</summary>
    /// <param name="range">Which.</param>
    /// <param name="into">Room for as many.</param>
    /// <returns>The part of it that they are in.</returns>
    public ReadOnlySpan<ProxySecret> Secrets(Range range, Span<ProxySecret> into)
    {
        var credentials = _credentials.AsSpan()[range];
        for (var i = 0; i < credentials.Length; i++) into[i] = credentials[i].Secret;
        return into[..credentials.Length];
    }

    /// <summary>Whose one is.</summary>
    public Credential this[int index] => _credentials[index];

    /// <summary>Those whose own domain a name is, in any case; none for a name that nobody has.</summary>
    public Range OfDomain(ReadOnlySpan<byte> sni)
    {
        if (General == Count) return default;
        var start = FirstFrom(sni, isBehind: false);
        if (!Is(start, sni)) return default;
        // Nearly always there is one alone.
        return start..(Is(start + 1, sni) ? FirstFrom(sni, isBehind: true) : start + 1);
    }

    /// <summary>Where each of these secrets is in another table; -1 = it is gone.</summary>
    public int[] PlacesIn(SecretTable next)
    {
        var (own, others) = (_credentials, next._credentials);
        var places = new int[Count];
        Array.Fill(places, -1);
        var (start, end, nextEnd) = (0, Count, next.Count);
        // Most changes are of one user: all before and behind it are the same.
        for (; start < end && start < nextEnd && IsSame(own[start], others[start]); start++) places[start] = start;
        while (end > start && nextEnd > start && IsSame(own[end - 1], others[nextEnd - 1])) places[--end] = --nextEnd;
        if (start == end || start == nextEnd) return places;

        var found = new Dictionary<ProxySecret, int>(nextEnd - start);
        for (var i = start; i < nextEnd; i++) found[others[i].Secret] = i;
        for (var i = start; i < end; i++) places[i] = found.GetValueOrDefault(own[i].Secret, -1);
        return places;
    }

    private static bool IsSame(Credential one, Credential other) =>
        ReferenceEquals(one.Secret, other.Secret) || one.Secret.Equals(other.Secret);

    // The first whose domain is the name or stands behind it, or of those that stand behind it.
    private int FirstFrom(ReadOnlySpan<byte> name, bool isBehind)
    {
        var (low, high) = (General, Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var order = _credentials[middle].Host.CompareTo(name);
            if (order < 0 || (isBehind && order == 0)) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private bool Is(int index, ReadOnlySpan<byte> name) => index < Count && _credentials[index].Host.CompareTo(name) == 0;
}
