using System.Collections.Immutable;
using Portico.Core.Users;
using Portico.Protocol.Secrets;

namespace Portico.Core.Handshake;

/// <summary>The secrets of one listener in the order in which callers are tried with them. Immutable, one for all loops.</summary>
/// <remarks>First come those that any hello may be signed with, then those with a domain of their own, domain by domain.</remarks>
internal sealed class SecretTable
{
    private readonly ImmutableArray<Credential> _credentials;

    // Where each one is among them, if that is not where it is tried: 4 bytes for each of perhaps a hundred thousand. There is no list of
    // secrets alone either: a trial takes much longer than the way to one.
    private readonly int[]? _order;

    /// <param name="credentials">In any order; those of one domain are tried as they stand.</param>
    public SecretTable(ImmutableArray<Credential> credentials)
    {
        _credentials = credentials;
        General = credentials.Count(credential => credential.Host.IsNone);
        if (!IsOrdered(credentials)) _order = Order(credentials);
    }

    /// <summary>How many there are.</summary>
    public int Count => _credentials.Length;

    /// <summary>How many are without a domain.</summary>
    public int General { get; }

    /// <summary>Whose one is.</summary>
    public Credential this[int index] => _credentials[_order is null ? index : _order[index]];

    /// <summary>The secrets of some.</summary>
    /// <param name="range">Which.</param>
    /// <param name="into">Room for as many.</param>
    /// <returns>The part of it that they are in.</returns>
    public ReadOnlySpan<ProxySecret> Secrets(Range range, Span<ProxySecret> into)
    {
        var (first, count) = range.GetOffsetAndLength(Count);
        for (var i = 0; i < count; i++) into[i] = this[first + i].Secret;
        return into[..count];
    }

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
        var places = new int[Count];
        Array.Fill(places, -1);
        var (start, end, nextEnd) = (0, Count, next.Count);
        // Most changes are of one user: all before and behind it are the same.
        for (; start < end && start < nextEnd && IsSame(this[start], next[start]); start++) places[start] = start;
        while (end > start && nextEnd > start && IsSame(this[end - 1], next[nextEnd - 1])) places[--end] = --nextEnd;
        if (start == end || start == nextEnd) return places;

        var found = new Dictionary<ProxySecret, int>(nextEnd - start);
        for (var i = start; i < nextEnd; i++) found[next[i].Secret] = i;
        for (var i = start; i < end; i++) places[i] = found.GetValueOrDefault(this[i].Secret, -1);
        return places;
    }

    private static bool IsOrdered(ImmutableArray<Credential> credentials)
    {
        for (var i = 1; i < credentials.Length; i++)
        {
            if (credentials[i - 1].Host.CompareTo(credentials[i].Host) > 0) return false;
        }

        return true;
    }

    private static int[] Order(ImmutableArray<Credential> credentials)
    {
        var order = new int[credentials.Length];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(
            order,
            (one, other) => credentials[one].Host.CompareTo(credentials[other].Host) is not 0 and var byDomain ? byDomain : one - other);
        return order;
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
            var order = this[middle].Host.CompareTo(name);
            if (order < 0 || (isBehind && order == 0)) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private bool Is(int index, ReadOnlySpan<byte> name) => index < Count && this[index].Host.CompareTo(name) == 0;
}
