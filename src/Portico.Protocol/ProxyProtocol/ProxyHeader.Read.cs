using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portico.Protocol.ProxyProtocol;

/// <content>The reading side.</content>
public static partial class ProxyHeader
{
    /// <summary>Longer headers are not accepted, in bytes: addresses and a generous room for what version 2 may add (TLVs).</summary>
    public const int MaxReadLength = 4096;

    // Version, command, family and length behind the signature.
    private const int PrefixLength = 16;

    private const byte UdpOverV4 = 0x12, UdpOverV6 = 0x22, UnixStream = 0x31, UnixDatagram = 0x32;

    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private static ReadOnlySpan<byte> Version1Prefix => "PROXY "u8;

    /// <summary>Whether bytes begin like a header of either version: enough of one that nothing else looks like it.</summary>
    public static bool LooksLikeOne(ReadOnlySpan<byte> bytes) => bytes.StartsWith(Version1Prefix) || bytes.StartsWith(Signature);

    /// <summary>Reads a header, version 1 or 2. What version 2 adds behind the addresses (TLVs) is skipped.</summary>
    /// <param name="bytes">From the first byte of the connection on.</param>
    /// <param name="length">Bytes of the header, behind which the client's begin.</param>
    /// <param name="source">
    /// The client, IPv4 addresses inside IPv6 ones as what they are; null = it is whoever connected (LOCAL, UNKNOWN).
    /// </param>
    /// <param name="destination">Where it connected to; null with <paramref name="source"/>.</param>
    public static FrameStatus TryRead(ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? source, out IPEndPoint? destination)
    {
        (length, source, destination) = (0, null, null);
        if (IsBeginning(bytes, Signature))
            return ReadVersion2(bytes, out length, out source, out destination);
        if (IsBeginning(bytes, Version1Prefix))
            return ReadVersion1(bytes, out length, out source, out destination);
        return FrameStatus.Invalid;
    }

    /// <summary>The name that a header of version 2 gives its connection.</summary>
    /// <param name="header">A whole header that <see cref="TryRead"/> has read.</param>
    /// <param name="uniqueId">The name; empty if there is none.</param>
    public static bool TryFindUniqueId(ReadOnlySpan<byte> header, out ReadOnlySpan<byte> uniqueId)
    {
        uniqueId = default;
        if (!header.StartsWith(Signature) || header.Length < PrefixLength) return false;
        var addressLength = header[Signature.Length + 1] switch { TcpOverV4 => 4, TcpOverV6 => 16, _ => 0 };
        var at = PrefixLength + (2 * (addressLength + (addressLength == 0 ? 0 : sizeof(ushort))));
        while (header.Length - at >= AdditionHeadLength)
        {
            var (kind, length) = (header[at], BinaryPrimitives.ReadUInt16BigEndian(header[(at + 1)..]));
            at += AdditionHeadLength;
            if (length > header.Length - at) return false;
            if (kind == UniqueIdKind && length is > 0 and <= MaxUniqueIdLength)
            {
                uniqueId = header.Slice(at, length);
                return true;
            }

            at += length;
        }

        return false;
    }

    private static bool IsBeginning(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> expected) =>
        bytes[..Math.Min(bytes.Length, expected.Length)].SequenceEqual(expected[..Math.Min(bytes.Length, expected.Length)]);

    private static FrameStatus ReadVersion1(
        ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? source, out IPEndPoint? destination)
    {
        (length, source, destination) = (0, null, null);
        var end = bytes[..Math.Min(bytes.Length, MaxLength)].IndexOf("\r\n"u8);
        if (end < 0)
            return bytes.Length < MaxLength ? FrameStatus.NeedMoreData : FrameStatus.Invalid;
        Span<Range> words = stackalloc Range[7];
        var line = bytes[..end];
        var count = Split(line, words);
        // Whatever stands behind UNKNOWN says nothing.
        if (count >= 2 && line[words[1]].SequenceEqual("UNKNOWN"u8))
        {
            length = end + 2;
            return FrameStatus.Ok;
        }

        var family = count != 6 ? default(AddressFamily?)
            : line[words[1]].SequenceEqual("TCP4"u8) ? AddressFamily.InterNetwork
            : line[words[1]].SequenceEqual("TCP6"u8) ? AddressFamily.InterNetworkV6
            : null;
        if (family is null) return FrameStatus.Invalid;
        var from = EndpointOf(family.Value, line[words[2]], line[words[4]]);
        var to = EndpointOf(family.Value, line[words[3]], line[words[5]]);
        if (from is null || to is null) return FrameStatus.Invalid;
        length = end + 2;
        (source, destination) = Unmapped(from, to);
        return FrameStatus.Ok;
    }

    // Single spaces; of more words than there is room for, the last range holds the rest.
    private static int Split(ReadOnlySpan<byte> line, Span<Range> words)
    {
        var (count, start) = (0, 0);
        while (count < words.Length - 1 && line[start..].IndexOf((byte)' ') is var space and >= 0)
        {
            words[count++] = start..(start + space);
            start += space + 1;
        }

        words[count++] = start..line.Length;
        return count;
    }

    private static IPEndPoint? EndpointOf(AddressFamily family, ReadOnlySpan<byte> address, ReadOnlySpan<byte> port)
    {
        // Digits alone: no sign, no white space, no zero in front.
        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || (port.Length > 1 && port[0] == (byte)'0'))
            return null;
        var text = Encoding.ASCII.GetString(address);
        if (!IPAddress.TryParse(text, out var parsed) || parsed.AddressFamily != family)
            return null;
        // The framework reads "1" as 0.0.0.1, and takes zones and brackets.
        var isWritten = family == AddressFamily.InterNetwork
            ? parsed.ToString() == text
            : address.IndexOfAnyExcept(AddressBytes) < 0;
        return isWritten ? new IPEndPoint(parsed, number) : null;
    }

    private static FrameStatus ReadVersion2(
        ReadOnlySpan<byte> bytes, out int length, out IPEndPoint? source, out IPEndPoint? destination)
    {
        (length, source, destination) = (0, null, null);
        if (bytes.Length > Signature.Length && bytes[Signature.Length] is not (Version2Proxy or Version2Local))
            return FrameStatus.Invalid;
        if (bytes.Length < PrefixLength) return FrameStatus.NeedMoreData;
        var (command, transport) = (bytes[Signature.Length], bytes[Signature.Length + 1]);
        if (transport is not (NoFamily or TcpOverV4 or TcpOverV6 or UdpOverV4 or UdpOverV6 or UnixStream or UnixDatagram))
            return FrameStatus.Invalid;
        var rest = BinaryPrimitives.ReadUInt16BigEndian(bytes[(PrefixLength - sizeof(ushort))..]);
        var addressLength = transport switch { TcpOverV4 => 4, TcpOverV6 => 16, _ => 0 };
        var addresses = 2 * (addressLength + (addressLength == 0 ? 0 : sizeof(ushort)));
        if (PrefixLength + rest > MaxReadLength || (command == Version2Proxy && rest < addresses))
            return FrameStatus.Invalid;
        if (bytes.Length < PrefixLength + rest) return FrameStatus.NeedMoreData;
        length = PrefixLength + rest;
        // LOCAL is the proxy's own connection, whatever follows; of other transports nothing is a client of ours.
        if (command == Version2Local || addressLength == 0) return FrameStatus.Ok;
        var first = bytes[PrefixLength..];
        var ports = first[(2 * addressLength)..];
        (source, destination) = Unmapped(
            new IPEndPoint(new IPAddress(first[..addressLength]), BinaryPrimitives.ReadUInt16BigEndian(ports)),
            new IPEndPoint(new IPAddress(first.Slice(addressLength, addressLength)), BinaryPrimitives.ReadUInt16BigEndian(ports[2..])));
        return FrameStatus.Ok;
    }

    // Both or none: a header of ours behind this one could not name two families.
    private static (IPEndPoint Source, IPEndPoint Destination) Unmapped(IPEndPoint source, IPEndPoint destination) =>
        source.Address.IsIPv4MappedToIPv6 && destination.Address.IsIPv4MappedToIPv6
            ? (new(source.Address.MapToIPv4(), source.Port), new(destination.Address.MapToIPv4(), destination.Port))
            : (source, destination);
}
