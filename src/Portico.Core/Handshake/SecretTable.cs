using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Portico.Core.Users;
using Portico.Protocol.Secrets;

namespace Portico.Core.Handshake;

/// <summary>The secrets of one listener in the order in which callers are tried with them. Immutable, one for all loops.</summary>
/// <remarks>First come those that any hello may be signed with, then those with a domain of their own, domain by domain.</remarks>
internal sealed class SecretTable
{
    private readonly ImmutableArray<Credential> _credentials;
    private readonly ProxySecret[] _secrets;

    public SecretTable(ImmutableArray<Credential> credentials)
    {
        General = credentials.Count(credential => credential.Domain is null);
        _credentials = General == credentials.Length
            ? credentials
            : [.. credentials.OrderBy(credential => credential.Domain, StringComparer.OrdinalIgnoreCase)]; // stable, null first
        _secrets = [.. _credentials.Select(credential => credential.Secret)];
    }

    /// <summary>How many there are.</summary>
    public int Count => _secrets.Length;

    /// <summary>How many are without a domain.</summary>
    public int General { get; }

    /// <summary>All of them.</summary>
    public ReadOnlySpan<ProxySecret> Secrets => _secrets;

    /// <summary>Whose one is.</summary>
    public Credential this[int index] => _credentials[index];

    /// <summary>Those whose own domain a name is, in any case; none for a name that nobody has.</summary>
    public Range OfDomain(ReadOnlySpan<byte> sni)
    {
        if (General == Count || sni.Length > SecretText.MaxDomainLength) return default;
        Span<char> name = stackalloc char[SecretText.MaxDomainLength];
        if (Ascii.ToUtf16(sni, name, out var length) != OperationStatus.Done) return default;
        name = name[..length];
        var start = FirstFrom(name, isBehind: false);
        if (!Is(start, name)) return default;
        // Nearly always there is one alone.
        return start..(Is(start + 1, name) ? FirstFrom(name, isBehind: true) : start + 1);
    }

    /// <summary>Where each of these secrets is in another table; -1 = it is gone.</summary>
    public int[] PlacesIn(SecretTable next)
    {
        var places = new int[Count];
        Array.Fill(places, -1);
        var (start, end, nextEnd) = (0, Count, next.Count);
        // Most changes are of one user: all before and behind it are the same.
        for (; start < end && start < nextEnd && IsSame(_secrets[start], next._secrets[start]); start++) places[start] = start;
        while (end > start && nextEnd > start && IsSame(_secrets[end - 1], next._secrets[nextEnd - 1])) places[--end] = --nextEnd;
        if (start == end || start == nextEnd) return places;

        var others = new Dictionary<ProxySecret, int>(nextEnd - start);
        for (var i = start; i < nextEnd; i++) others[next._secrets[i]] = i;
        for (var i = start; i < end; i++) places[i] = others.GetValueOrDefault(_secrets[i], -1);
        return places;
    }

    private static bool IsSame(ProxySecret one, ProxySecret other) => ReferenceEquals(one, other) || one.Equals(other);

    // The first whose domain is the name or stands behind it, or of those that stand behind it.
    private int FirstFrom(ReadOnlySpan<char> name, bool isBehind)
    {
        var (low, high) = (General, Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            var order = Compare(middle, name);
            if (order < 0 || (isBehind && order == 0)) low = middle + 1;
            else high = middle;
        }

        return low;
    }

    private bool Is(int index, ReadOnlySpan<char> name) => index < Count && Compare(index, name) == 0;

    private int Compare(int index, ReadOnlySpan<char> name) =>
        _credentials[index].Domain.AsSpan().CompareTo(name, StringComparison.OrdinalIgnoreCase);
}
