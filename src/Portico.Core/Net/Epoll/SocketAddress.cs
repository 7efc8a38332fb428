using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portico.Core.Net.Epoll;

/// <summary>
/// struct sockaddr_in and sockaddr_in6: family in host order,
/// port and address in network order; struct sockaddr_un: family and path.
/// </summary>
internal static class SocketAddress
{
    /// <summary>Room for every form.</summary>
    public const int MaxLength = UnixPathOffset + 108;

    private const int V4Length = 16, V6Length = 28, UnixPathOffset = 2, PortOffset = 2;
    private const int V4AddressOffset = 4, V6AddressOffset = 8, V6ScopeOffset = 24;

    public static int Family(EndPoint address) => address.AddressFamily switch
    {
        AddressFamily.Unix => Native.AF_UNIX,
        AddressFamily.InterNetworkV6 => Native.AF_INET6,
        _ => Native.AF_INET,
    };

    /// <summary>Writes the address; returns its length.</summary>
    public static int Write(EndPoint address, Span<byte> target)
    {
        target[..MaxLength].Clear();
        return address is IPEndPoint ip ? Write(ip, target) : WritePath((UnixDomainSocketEndPoint)address, target);
    }

    // The path ends with the zero that is there already.
    private static int WritePath(UnixDomainSocketEndPoint address, Span<byte> target)
    {
        BitConverter.TryWriteBytes(target, (ushort)Native.AF_UNIX);
        return UnixPathOffset + Encoding.UTF8.GetBytes(address.ToString(), target[UnixPathOffset..(MaxLength - 1)]) + 1;
    }

    private static int Write(IPEndPoint address, Span<byte> target)
    {
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
        return V6Length;
    }

    /// <summary>The 4 or 16 bytes of an address that the kernel wrote, in network order.</summary>
    public static ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> address) =>
        BitConverter.ToUInt16(address) == Native.AF_INET ? address.Slice(V4AddressOffset, 4) : address.Slice(V6AddressOffset, 16);

    /// <summary>Reads an address that the kernel wrote. A v4-mapped IPv6 address comes out as IPv4, as policy and logs want it.</summary>
    public static IPEndPoint Read(ReadOnlySpan<byte> address)
    {
        var port = BinaryPrimitives.ReadUInt16BigEndian(address[PortOffset..]);
        if (BitConverter.ToUInt16(address) == Native.AF_INET)
            return new IPEndPoint(new IPAddress(address.Slice(V4AddressOffset, 4)), port);
        var v6 = new IPAddress(address.Slice(V6AddressOffset, 16), BitConverter.ToUInt32(address[V6ScopeOffset..]));
        return new IPEndPoint(v6.IsIPv4MappedToIPv6 ? v6.MapToIPv4() : v6, port);
    }
}
