using System.Diagnostics.CodeAnalysis;

namespace Portico.Core.Admission.Policy;

/// <summary>Tells values apart by their bytes; looks one up without making an object of it.</summary>
internal sealed class ValueComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
{
    public static readonly ValueComparer Instance = new();

    public bool Equals(byte[]? one, byte[]? other) => one.AsSpan().SequenceEqual(other);

    public int GetHashCode([DisallowNull] byte[] value) => HashOf(value);

    public bool Equals(ReadOnlySpan<byte> one, byte[] other) => one.SequenceEqual(other);

    public int GetHashCode(ReadOnlySpan<byte> value) => HashOf(value);

    public byte[] Create(ReadOnlySpan<byte> value) => value.ToArray();

    /// <summary>Seeded anew in each process: who chooses a name cannot make many of them meet in a table.</summary>
    public static int HashOf(ReadOnlySpan<byte> value)
    {
        var hash = default(HashCode);
        hash.AddBytes(value);
        return hash.ToHashCode();
    }
}
