using System.Buffers.Binary;

namespace Portico.Protocol.FakeTls;

/// <summary>Walks over bytes of a stranger: each step either fits in what is left or fails, and nothing throws.</summary>
internal ref struct TlsCursor(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    internal readonly bool AtEnd => _rest.IsEmpty;

    internal bool TryTake(int length, out ReadOnlySpan<byte> taken)
    {
        if (length > _rest.Length)
        {
            taken = default;
            return false;
        }
        taken = _rest[..length];
        _rest = _rest[length..];
        return true;
    }

    internal bool TryTakeUInt16(out ushort value)
    {
        var fits = TryTake(2, out var taken);
        value = fits ? BinaryPrimitives.ReadUInt16BigEndian(taken) : default;
        return fits;
    }

    /// <summary>A vector whose length stands before it in one byte.</summary>
    internal bool TryTakeVector8(out ReadOnlySpan<byte> taken)
    {
        taken = default;
        return TryTake(1, out var length) && TryTake(length[0], out taken);
    }

    /// <summary>A vector whose length stands before it in two bytes.</summary>
    internal bool TryTakeVector16(out ReadOnlySpan<byte> taken)
    {
        taken = default;
        return TryTakeUInt16(out var length) && TryTake(length, out taken);
    }
}
