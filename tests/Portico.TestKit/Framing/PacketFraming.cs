using System.Buffers.Binary;
using Portico.Protocol;

namespace Portico.TestKit.Framing;

/// <summary>
/// The three packet framings (spec/01 section 3) as a client and a data centre write them: whole packets, no limits.
/// Independent of the product's codecs on purpose, so that a test does not agree with itself.
/// </summary>
internal static class PacketFraming
{
    private const uint QuickAckBit = 0x80000000;

    /// <summary>Adds one packet to <paramref name="wire"/>.</summary>
    /// <param name="wire">Plaintext of the obfuscated stream.</param>
    /// <param name="transport">How to frame.</param>
    /// <param name="payload">A multiple of four bytes.</param>
    /// <param name="padding">Bytes of padding, padded transport only.</param>
    /// <param name="quickAck">Whether to ask for a quick acknowledgement.</param>
    internal static void Append(ByteSink wire, Transport transport, ReadOnlySpan<byte> payload, int padding = 0, bool quickAck = false)
    {
        Span<byte> header = stackalloc byte[4];
        if (transport == Transport.Abridged)
        {
            var words = payload.Length / 4;
            if (words < 0x7f)
            {
                header[0] = (byte)(words | (quickAck ? 0x80 : 0));
                wire.Append(header[..1]);
            }
            else
            {
                BinaryPrimitives.WriteInt32LittleEndian(header, words << 8 | 0x7f | (quickAck ? 0x80 : 0));
                wire.Append(header);
            }
            wire.Append(payload);
            return;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)(payload.Length + padding) | (quickAck ? QuickAckBit : 0));
        wire.Append(header);
        wire.Append(payload);
        wire.AppendRandom(padding);
    }

    /// <summary>The first whole packet of <paramref name="wire"/>, padding included; false when more bytes are needed.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> wire, Transport transport, out ReadOnlySpan<byte> packet, out int consumed)
    {
        packet = default;
        consumed = 0;
        int header, length;
        if (transport == Transport.Abridged)
        {
            if (wire.IsEmpty)
                return false;
            var words = wire[0] & 0x7f;
            header = words == 0x7f ? 4 : 1;
            if (wire.Length < header)
                return false;
            length = 4 * (header == 1 ? words : BinaryPrimitives.ReadInt32LittleEndian(wire) >>> 8);
        }
        else
        {
            header = 4;
            if (wire.Length < header)
                return false;
            length = (int)(BinaryPrimitives.ReadUInt32LittleEndian(wire) & ~QuickAckBit);
        }
        if (wire.Length < header + length)
            return false;
        packet = wire.Slice(header, length);
        consumed = header + length;
        return true;
    }

    /// <summary>
    /// A server's quick acknowledgement, if that is what <paramref name="wire"/> begins with:
    /// four bytes without a length, marked where a packet's length would have its highest bit (spec/01 section 3.4).
    /// </summary>
    internal static bool TryReadQuickAck(ReadOnlySpan<byte> wire, Transport transport, out byte[] confirm)
    {
        confirm = [];
        var mark = transport == Transport.Abridged ? 0 : 3;
        if (wire.Length < 4 || (wire[mark] & 0x80) == 0)
            return false;
        confirm = wire[..4].ToArray();
        if (transport == Transport.Abridged)
            Array.Reverse(confirm);
        return true;
    }
}
