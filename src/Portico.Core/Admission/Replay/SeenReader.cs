using Microsoft.Win32.SafeHandles;

namespace Portico.Core.Admission.Replay;

/// <summary>Takes the items of a frame, 8 bytes each, little-endian.</summary>
internal delegate void ShowItems(ReadOnlySpan<byte> items);

/// <summary>What a segment of a journal was found to hold.</summary>
/// <param name="Length">Where its last frame ends. What is behind it is the rest of a write that was cut short.</param>
/// <param name="Items">In all of its frames.</param>
/// <param name="FirstUnix">Of the first frame; 0 without one.</param>
/// <param name="LastUnix">Of the last.</param>
/// <param name="IsDamaged">Some bytes in front of a frame are none: more is missing than an unfinished write.</param>
internal readonly record struct SeenContent(long Length, int Items, uint FirstUnix, uint LastUnix, bool IsDamaged);

/// <summary>Reads a segment once, from its header to its end, checking each frame before it is believed.</summary>
internal static class SeenReader
{
    // More than 85 000 bytes, so that it does not bring the next collection nearer.
    public const int BufferLength = 4 * SeenFormat.MostFrameLength;

    public static SeenContent Read(SafeFileHandle file, Span<byte> buffer, ShowItems show)
    {
        var (at, end, length) = ((long)SeenFormat.HeaderLength, (long)SeenFormat.HeaderLength, RandomAccess.GetLength(file));
        var (items, first, last, isDamaged) = (0, 0u, 0u, false);
        var (filledFrom, filled) = (0L, 0);
        while (at + SeenFormat.FrameHeaderLength <= length)
        {
            var inBuffer = filledFrom + filled - at;
            if (inBuffer < Math.Min(SeenFormat.MostFrameLength, length - at))
            {
                (filledFrom, filled) = (at, Fill(file, buffer, at));
                if (filled < SeenFormat.FrameHeaderLength) break; // it has become shorter meanwhile
                length = Math.Min(length, Math.Max(at + filled, filled < buffer.Length ? 0 : length));
            }

            var bytes = buffer[(int)(at - filledFrom)..filled];
            if (!SeenFormat.TryReadFrame(bytes, out var found, out var unixSeconds))
            {
                at += SeenFormat.ItemLength; // frames begin at multiples of it: another one may follow what is broken
                continue;
            }

            isDamaged |= at != end;
            show(found);
            items += found.Length / SeenFormat.ItemLength;
            if (first == 0) first = unixSeconds;
            last = Math.Max(last, unixSeconds);
            at = end = at + SeenFormat.FrameHeaderLength + found.Length;
        }

        return new SeenContent(end, items, first, last, isDamaged);
    }

    private static int Fill(SafeFileHandle file, Span<byte> buffer, long offset)
    {
        var filled = 0;
        while (filled < buffer.Length && RandomAccess.Read(file, buffer[filled..], offset + filled) is var count and > 0) filled += count;
        return filled;
    }
}
