using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Portico.Protocol.Secrets;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// The capabilities of one address, and whose they are. Immutable. A candidate is looked up by its HMAC under a key of this process:
/// where in the table that leads tells nobody outside how much of a capability was guessed.
/// </summary>
public sealed class CapabilityTable
{
    /// <summary>Length of the key for looking up, in bytes.</summary>
    public const int KeyLength = 32;

    private readonly byte[] _key;
    private readonly FrozenDictionary<UInt128, int> _indexes;

    private CapabilityTable(byte[] key, FrozenDictionary<UInt128, int> indexes) => (_key, _indexes) = (key, indexes);

    /// <summary>Computes the capabilities of all entries.</summary>
    /// <param name="address">Where the proxy is.</param>
    /// <param name="entries">One for each link that was given out: its secret and the form in which it is in the link.</param>
    /// <param name="key">32 random bytes, others in each process.</param>
    /// <param name="table">The table.</param>
    /// <param name="twins">
    /// Two entries that have one capability, so that nobody could say whose it is. That is one secret twice, or a plain secret that begins
    /// with dd beside a secure one that ends in 00: HMAC pads keys with zeros.
    /// </param>
    /// <exception cref="ArgumentException">A key of another length.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An entry with a fake-TLS secret.</exception>
    public static bool TryCreate(
        WebAddress address, IReadOnlyList<(SecretKind Kind, ProxySecret Secret)> entries, ReadOnlySpan<byte> key,
        [NotNullWhen(true)] out CapabilityTable? table, out (int First, int Second) twins)
    {
        if (key.Length != KeyLength)
            throw new ArgumentException($"a key for looking up has {KeyLength} bytes, not {key.Length}", nameof(key));

        (table, twins) = (null, default);
        var ownKey = key.ToArray();
        var indexes = new Dictionary<UInt128, int>(entries.Count);
        Span<byte> capability = stackalloc byte[CredentialText.ByteLength];
        for (var i = 0; i < entries.Count; i++)
        {
            Capability.Compute(address, entries[i].Kind, entries[i].Secret, capability);
            if (indexes.TryAdd(PlaceOf(ownKey, capability), i))
                continue;
            twins = (indexes[PlaceOf(ownKey, capability)], i);
            return false;
        }

        table = new CapabilityTable(ownKey, indexes.ToFrozenDictionary());
        return true;
    }

    /// <summary>Whose capability a text is.</summary>
    /// <param name="text">Any text.</param>
    /// <returns>The index among the entries, or -1.</returns>
    public int Find(ReadOnlySpan<char> text)
    {
        Span<byte> candidate = stackalloc byte[CredentialText.ByteLength];
        return CredentialText.TryDecode(text, candidate) ? _indexes.GetValueOrDefault(PlaceOf(_key, candidate), -1) : -1;
    }

    private static UInt128 PlaceOf(byte[] key, ReadOnlySpan<byte> capability)
    {
        Span<byte> digest = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, capability, digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }
}
