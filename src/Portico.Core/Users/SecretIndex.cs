using System.Collections.Immutable;
using System.Numerics;
using Portico.Protocol.Secrets;

namespace Portico.Core.Users;

/// <summary>
/// Whose a secret is, among perhaps a hundred thousand: 5 to 10 bytes for each of them, where a dictionary has 36. Immutable.
/// </summary>
internal sealed class SecretIndex
{
    private readonly ImmutableArray<Credential> _credentials;

    // Open addressing, at most four fifths full: an index plus 1, where its secret's hash points or behind it; 0 = nothing, and nothing
    // behind it. The hash is seeded anew in each process.
    private readonly int[] _places;

    /// <param name="credentials">Where two have one secret, the latter counts.</param>
    public SecretIndex(ImmutableArray<Credential> credentials)
    {
        _credentials = credentials;
        _places = new int[BitOperations.RoundUpToPowerOf2((uint)(credentials.Length * 5L / 4) + 1)];
        for (var i = 0; i < credentials.Length; i++) _places[PlaceOf(credentials[i].Secret)] = i + 1;
    }

    /// <summary>The index of a secret's credential; -1 = it is nobody's.</summary>
    public int Find(ProxySecret secret) => _places[PlaceOf(secret)] - 1;

    // Where it is, or would be put.
    private int PlaceOf(ProxySecret secret)
    {
        var mask = _places.Length - 1;
        var place = secret.GetHashCode() & mask;
        while (_places[place] != 0 && !_credentials[_places[place] - 1].Secret.Equals(secret)) place = (place + 1) & mask;
        return place;
    }
}
