using System.Buffers.Binary;
using System.Security.Cryptography;
using Portico.Protocol;

namespace Portico.SelfTest;

/// <summary>Packets of any transport (spec/01 section 3), for the two ends of the self test: a transport is chosen at run time here, and speed does not matter.</summary>
internal static class PacketFraming
{
    /// <summary>Room for the length and the padding of any packet.</summary>
    public const int MaxOverhead = 4 + MaxPadding;

    /// <summary>What a receiver cannot tell from payload: it strips the odd bytes of a padding of 0 to 15 only.</summary>
    public const int MaxLeftover = MaxPadding & ~3;

    // As Telegram's clients do.
    private const int MaxPadding = 15;

    // Both ends are ours: a longer length means that the streams are out of step.
    private const int MaxPayload = 1 << 20;
    private const int LongAbridgedWords = 127;

    /// <summary>Writes one packet.</summary>
    /// <returns>Bytes written, at most <see cref="MaxOverhead"/> more than the payload.</returns>
    public static int Write(Transport transport, ReadOnlySpan<byte> payload, Span<byte> wire)
    {
        var padding = transport == Transport.Padded ? RandomNumberGenerator.GetInt32(MaxPadding + 1) : 0;
        var header = WriteLength(transport, payload.Length + padding, wire);
        payload.CopyTo(wire[header..]);
        RandomNumberGenerator.Fill(wire.Slice(header + payload.Length, padding));
        return header + payload.Length + padding;
    }

    /// <summary>Finds the packet at the beginning of <paramref name="bytes"/>.</summary>
    /// <param name="transport">How it is framed.</param>
    /// <param name="bytes">Everything decrypted and not consumed yet.</param>
    /// <param name="payload">Where its payload is; up to <see cref="MaxLeftover"/> bytes of padding can stay at its end.</param>
    /// <param name="consumed">Bytes of the whole packet.</param>
    public static FrameStatus TryRead(Transport transport, ReadOnlySpan<byte> bytes, out Range payload, out int consumed)
    {
        (payload, consumed) = (default, 0);
        if (!TryReadLength(transport, bytes, out var header, out var length)) return FrameStatus.NeedMoreData;
        if (length is 0 or > MaxPayload + MaxPadding) return FrameStatus.Invalid;
        if (bytes.Length < header + (int)length) return FrameStatus.NeedMoreData;
        consumed = header + (int)length;
        payload = header..(header + (int)(length & ~3u));
        return FrameStatus.Ok;
    }

    private static int WriteLength(Transport transport, int length, Span<byte> wire)
    {
        var words = length / 4;
        if (transport == Transport.Abridged && words < LongAbridgedWords)
        {
            wire[0] = (byte)words;
            return 1;
        }

        BinaryPrimitives.WriteInt32LittleEndian(wire, transport == Transport.Abridged ? (words << 8) | LongAbridgedWords : length);
        return 4;
    }

    private static bool TryReadLength(Transport transport, ReadOnlySpan<byte> bytes, out int header, out uint length)
    {
        (header, length) = (4, 0);
        if (transport == Transport.Abridged && bytes.Length >= 1 && bytes[0] < LongAbridgedWords)
        {
            (header, length) = (1, bytes[0] * 4u);
            return true;
        }

        if (bytes.Length < 4) return false;
        var field = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        length = transport == Transport.Abridged ? (field >> 8) * 4 : field;
        return true;
    }
}
