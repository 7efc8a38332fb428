using System.Buffers.Binary;
using System.Net;

namespace Portico.Core.Net;

/// <summary>
/// What counts as one address: an IPv4 address, or the 64 leading bits of an IPv6 address,
/// which is what one household or one server is given. Default: unknown.
/// </summary>
/// <param name="Prefix">The address, or its leading bits.</param>
/// <param name="Bits">32 or 64.</param>
internal readonly record struct ClientNetwork(ulong Prefix, byte Bits)
{
    private const byte V4Bits = 32, V6Bits = 64;

    private const int V4Length = 4, MappedOffset = 12;

    private static ReadOnlySpan<byte> MappedPrefix => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

    public bool IsKnown => Bits != 0;

    /// <summary>This machine itself: 127.0.0.0/8, or the network of ::1.</summary>
    public bool IsLoopback => Bits == V4Bits ? Prefix >> 24 == 127 : Bits == V6Bits && Prefix == 0;

    /// <summary>Of 4 or 16 bytes in network order; an IPv4 address inside an IPv6 one counts as what it is.</summary>
    public static ClientNetwork Of(ReadOnlySpan<byte> address)
    {
        address = Unmap(address);
        return address.Length == V4Length
            ? new(BinaryPrimitives.ReadUInt32BigEndian(address), V4Bits)
            : new(BinaryPrimitives.ReadUInt64BigEndian(address), V6Bits);
    }

    /// <summary>An IPv4 address inside an IPv6 one, as what it is; any other as it came.</summary>
    public static ReadOnlySpan<byte> Unmap(ReadOnlySpan<byte> address) =>
        address.Length > V4Length && address.StartsWith(MappedPrefix) ? address[MappedOffset..] : address;

    /// <summary>Writes the address in network order, which of IPv6 is not known.</summary>
    public bool TryWriteAddress(Span<byte> target, out int length)
    {
        length = Bits == V4Bits ? V4Length : 0;
        if (length == 0) return false;
        BinaryPrimitives.WriteUInt32BigEndian(target, (uint)Prefix);
        return true;
    }

    /// <summary>Of an address.</summary>
    public static ClientNetwork Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return Of(bytes[..length]);
    }

    /// <summary>Seeded anew in each process: who chooses among many networks cannot make them meet in a table.</summary>
    public override int GetHashCode() => HashCode.Combine(Prefix, Bits);
}
