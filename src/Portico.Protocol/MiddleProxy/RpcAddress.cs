using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Portico.Protocol.MiddleProxy;

/// <summary>
/// Addresses as RPC_PROXY_REQ carries them (spec/03 section 5): 16 bytes, IPv6 in network order,
/// IPv4 mapped into it. A relay keeps them in this form, so that a packet needs no object.
/// </summary>
public static class RpcAddress
{
    /// <summary>Length of an address, in bytes.</summary>
    public const int Length = 16;

    /// <summary>Length of an address and its port, in bytes.</summary>
    internal const int EndpointLength = Length + sizeof(uint);

    private const int V4Length = 4;

    // RFC 4291 section 2.5.5.2.
    private static ReadOnlySpan<byte> MappedPrefix => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

    /// <summary>Writes an address of either family.</summary>
    /// <param name="address">A scope id is not part of the format.</param>
    /// <param name="destination">Receives 16 bytes.</param>
    public static void Write(IPAddress address, Span<byte> destination)
    {
        var rest = destination[..Length];
        if (address.AddressFamily == AddressFamily.InterNetwork)
        {
            MappedPrefix.CopyTo(rest);
            rest = rest[MappedPrefix.Length..];
        }
        address.TryWriteBytes(rest, out _);
    }

    /// <summary>The address as an object; a mapped one comes back as IPv4.</summary>
    /// <param name="address">16 bytes.</param>
    public static IPAddress Read(ReadOnlySpan<byte> address) => new(IsV4(address) ? V4(address) : address[..Length]);

    /// <summary>Whether 16 bytes are an IPv4 address.</summary>
    public static bool IsV4(ReadOnlySpan<byte> address) => address.StartsWith(MappedPrefix);

    /// <summary>The IPv4 address inside a mapped one: 4 bytes in network order.</summary>
    internal static ReadOnlySpan<byte> V4(ReadOnlySpan<byte> mapped) => mapped.Slice(MappedPrefix.Length, V4Length);

    internal static void WriteEndpoint(Span<byte> destination, ReadOnlySpan<byte> address, ushort port)
    {
        address[..Length].CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[Length..], port);
    }

    /// <summary>False if the port, which has four bytes on the wire, is none.</summary>
    internal static bool TryReadEndpoint(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> address, out ushort port)
    {
        var wide = BinaryPrimitives.ReadUInt32LittleEndian(bytes[Length..]);
        address = bytes[..Length];
        port = unchecked((ushort)wide);
        return wide == port;
    }
}
