using System.Text;

namespace Portico.Core.Users;

/// <summary>
/// A host name of a user's own, or none, in one byte for each character: perhaps a hundred thousand users have one each. Equal are those
/// of the same letters in the same case; in order of name, and for a hello, case has no meaning.
/// </summary>
internal readonly struct UserDomain : IEquatable<UserDomain>, IComparable<UserDomain>
{
    private readonly byte[]? _name;

    /// <param name="name">Null = none.</param>
    public UserDomain(string? name) => _name = name is null ? null : Encoding.UTF8.GetBytes(name);

    /// <summary>There is none.</summary>
    public bool IsNone => _name is null;

    /// <summary>As it was written; made anew each time.</summary>
    public string? Text => _name is null ? null : Encoding.UTF8.GetString(_name);

    /// <summary>Whether a hello for this name may be the user's.</summary>
    /// <param name="sni">As the hello has it; empty = it names nobody.</param>
    public bool Allows(ReadOnlySpan<byte> sni) => IsNone || Ascii.EqualsIgnoreCase(sni, _name);

    /// <summary>Below 0 = before it, 0 = the same in any case, above 0 = behind it. None is before all of them.</summary>
    public int CompareTo(ReadOnlySpan<byte> name)
    {
        if (_name is null) return -1;
        var common = Math.Min(_name.Length, name.Length);
        for (var i = 0; i < common; i++)
        {
            if (Lower(_name[i]) - Lower(name[i]) is not 0 and var order) return order;
        }

        return _name.Length - name.Length;
    }

    /// <inheritdoc/>
    public int CompareTo(UserDomain other) => other.IsNone ? (IsNone ? 0 : 1) : CompareTo(other._name.AsSpan());

    /// <inheritdoc/>
    public bool Equals(UserDomain other) => IsNone == other.IsNone && _name.AsSpan().SequenceEqual(other._name);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is UserDomain other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_name);
        return hash.ToHashCode();
    }

    private static int Lower(byte letter) => letter is >= (byte)'A' and <= (byte)'Z' ? letter | 0x20 : letter;
}
