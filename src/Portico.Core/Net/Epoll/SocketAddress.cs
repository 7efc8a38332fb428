using System.Buffers.Binary;
using System.Net;

namespace Portico.Core.Net.Epoll;

/// <summary>struct sockaddr_in and sockaddr_in6: family in host order, port and address in network order.</summary>
internal static class SocketAddress
{
    /// <summary>Room for either form.</summary>
    public const int MaxLength = 28;

    private const int V4Length = 16, PortOffset = 2, V4AddressOffset = 4, V6AddressOffset = 8, V6ScopeOffset = 24;

    public static int Family(IPEndPoint address) => address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? Native.AF_INET6 : Native.AF_INET;

    /// <summary>Writes the address; returns its length.</summary>
    public static int Write(IPEndPoint address, Span<byte> target)
    {
        target[..MaxLength].Clear();
        var family = Family(address);
        BitConverter.TryWriteBytes(target, (ushort)family);
        BinaryPrimitives.WriteUInt16BigEndian(target[PortOffset..], (ushort)address.Port);
        if (family == Native.AF_INET)
        {
            address.Address.TryWriteBytes(target[V4AddressOffset..], out _);
            return V4Length;
        }

        address.Address.TryWriteBytes(target[V6AddressOffset..], out _);
        BitConverter.TryWriteBytes(target[V6ScopeOffset..], (uint)address.Address.ScopeId);
        return MaxLength;
    }

    /// <summary>The 4 or 16 bytes of an address that the kernel wrote, in network order.</summary>
    public static ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> address) =>
        BitConverter.ToUInt16(address) == Native.AF_INET ? address.Slice(V4AddressOffset, 4) : address.Slice(V6AddressOffset, 16);

    /// <summary>Reads an address that the kernel wrote. A v4-mapped IPv6 address comes out as IPv4, as policy and logs want it.</summary>
    public static IPEndPoint Read(ReadOnlySpan<byte> address)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(address[PortOffset..]);
        if (BitConverter.ToUInt16(address) == Native.AF_INET) return new IPEndPoint(new IPAddress(address.Slice(V4AddressOffset, 4)), port);
        var v6 = new IPAddress(address.Slice(V6AddressOffset, 16), BitConverter.ToUInt32(address[V6ScopeOffset..]));
        return new IPEndPoint(v6.IsIPv4MappedToIPv6 ? v6.MapToIPv4() : v6, port);
    }
}
