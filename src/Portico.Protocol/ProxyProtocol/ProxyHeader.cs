using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portico.Protocol.ProxyProtocol;

/// <summary>
/// The PROXY protocol's header, which tells a server behind a proxy who the client is (haproxy.org,
/// proxy-protocol.txt, sections 2.1 and 2.2). Stands in front of the client's first byte.
/// </summary>
/// <remarks>
/// <code>
/// version 1:   PROXY TCP4 source destination source-port destination-port CR LF, as text;
///              PROXY UNKNOWN CR LF without addresses
/// version 2:   signature 12 | 21 = version 2, PROXY; 20 = version 2, LOCAL
///              | 11 = TCP over IPv4; 21 = TCP over IPv6; 00 = none | length 2 | source, destination | ports 2 + 2
/// </code>
/// </remarks>
public static partial class ProxyHeader
{
    /// <summary>No header is longer, in bytes: the longest line of version 1.</summary>
    public const int MaxLength = 107;

    /// <summary>The longest name that a header of version 2 gives a connection, in bytes (section 2.2.5, UNIQUE_ID).</summary>
    public const int MaxUniqueIdLength = 128;

    // Kind and length in front of what version 2 may add (section 2.2).
    private const byte UniqueIdKind = 0x05;
    private const int AdditionHeadLength = 3;

    private const byte Version2Proxy = 0x21, Version2Local = 0x20, TcpOverV4 = 0x11, TcpOverV6 = 0x21, NoFamily = 0x00;

    private static ReadOnlySpan<byte> Signature => [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];

    /// <summary>Writes a header. Addresses that are missing or of different families are left out, as the protocol provides for.</summary>
    /// <param name="target">At least <see cref="MaxLength"/> bytes.</param>
    /// <param name="version">1 or 2.</param>
    /// <param name="source">The client; null = not known.</param>
    /// <param name="destination">Where the client connected to; null = not known.</param>
    /// <returns>Its length in bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such version.</exception>
    public static int Write(Span<byte> target, int version, IPEndPoint? source, IPEndPoint? destination)
    {
        var isKnown = source is not null && destination is not null && source.AddressFamily == destination.AddressFamily;
        return version switch
        {
            1 => Encoding.ASCII.GetBytes(isKnown ? Line(source!, destination!) : "PROXY UNKNOWN\r\n", target),
            2 => WriteVersion2(target, isKnown ? source : null, destination),
            _ => throw new ArgumentOutOfRangeException(nameof(version)),
        };
    }

    /// <summary>Writes a header of version 2 that names the connection, for a server that has something to say of it.</summary>
    /// <param name="target">At least <see cref="MaxLength"/> + 3 bytes and those of the name.</param>
    /// <param name="source">The client; null = not known.</param>
    /// <param name="destination">Where the client connected to; null = not known.</param>
    /// <param name="uniqueId">1 to <see cref="MaxUniqueIdLength"/> bytes.</param>
    /// <returns>Its length in bytes.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A longer name, or none.</exception>
    public static int Write(Span<byte> target, IPEndPoint? source, IPEndPoint? destination, ReadOnlySpan<byte> uniqueId)
    {
        ArgumentOutOfRangeException.ThrowIfZero(uniqueId.Length, nameof(uniqueId));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(uniqueId.Length, MaxUniqueIdLength, nameof(uniqueId));
        var length = Write(target, 2, source, destination);
        target[length] = UniqueIdKind;
        BinaryPrimitives.WriteUInt16BigEndian(target[(length + 1)..], (ushort)uniqueId.Length);
        uniqueId.CopyTo(target[(length + AdditionHeadLength)..]);
        var added = AdditionHeadLength + uniqueId.Length;
        var rest = target[(PrefixLength - sizeof(ushort))..];
        BinaryPrimitives.WriteUInt16BigEndian(rest, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(rest) + added));
        return length + added;
    }

    private static string Line(IPEndPoint source, IPEndPoint destination)
    {
        var family = source.AddressFamily == AddressFamily.InterNetworkV6 ? "TCP6" : "TCP4";
        return $"PROXY {family} {WithoutZone(source.Address)} {WithoutZone(destination.Address)} {source.Port} {destination.Port}\r\n";
    }

    private static int WriteVersion2(Span<byte> target, IPEndPoint? source, IPEndPoint? destination)
    {
        Signature.CopyTo(target);
        var at = Signature.Length;
        target[at++] = source is null ? Version2Local : Version2Proxy;
        target[at++] = source is null ? NoFamily : source.AddressFamily == AddressFamily.InterNetworkV6 ? TcpOverV6 : TcpOverV4;
        var lengthAt = at;
        at += sizeof(ushort);
        if (source is not null)
        {
            source.Address.TryWriteBytes(target[at..], out var addressLength);
            destination!.Address.TryWriteBytes(target[(at + addressLength)..], out _);
            at += 2 * addressLength;
            BinaryPrimitives.WriteUInt16BigEndian(target[at..], (ushort)source.Port);
            BinaryPrimitives.WriteUInt16BigEndian(target[(at + sizeof(ushort))..], (ushort)destination.Port);
            at += 2 * sizeof(ushort);
        }

        BinaryPrimitives.WriteUInt16BigEndian(target[lengthAt..], (ushort)(at - lengthAt - sizeof(ushort)));
        return at;
    }

    // A zone ("%eth0") means nothing to anybody else.
    private static IPAddress WithoutZone(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0 ? new IPAddress(address.GetAddressBytes()) : address;
}
