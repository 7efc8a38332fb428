using Xunit;

namespace Portico.Protocol.Tests;

/// <summary>A parser that is shown all bytes received so far and decides as soon as it can.</summary>
internal delegate FrameStatus ResumableParser<T>(ReadOnlySpan<byte> bytes, out T result);

/// <summary>The ways in which a network may hand over the same bytes. No parser may notice a difference.</summary>
internal static class Segmentation
{
    // Longer inputs are not cut at every index but around their ends, around borders of the wire formats, and at a stride in between.
    private const int CutEverywhere = 4096;
    private const int Border = 16384 + 5;
    private const int Stride = 997;
    private const int Near = 8;

    /// <summary>
    /// All of the bytes: whole, embedded in a larger array, in two parts cut at every index,
    /// byte by byte. Every part is a copy of its own that a parser may change.
    /// </summary>
    public static IEnumerable<(string How, Memory<byte>[] Parts)> Deliveries(byte[] bytes)
    {
        yield return ("whole", [bytes.ToArray()]);
        yield return ("embedded", [Embed(bytes)]);
        foreach (var cut in Cuts(bytes.Length))
            yield return ($"cut at {cut}", [Embed(bytes.AsSpan(0, cut)), Embed(bytes.AsSpan(cut))]);
        yield return ("byte by byte", [.. bytes.Select(one => Embed([one]))]);
    }

    /// <summary>The bytes cut off at every length from 0 up to all but one.</summary>
    public static IEnumerable<Memory<byte>> Truncations(byte[] bytes) =>
        Cuts(bytes.Length).Select(length => Embed(bytes.AsSpan(0, length)));

    /// <summary>
    /// Asserts that the parser comes to one and the same decision however the bytes arrive,
    /// never to another one on the way, and never takes it back.
    /// </summary>
    /// <param name="bytes">What arrives.</param>
    /// <param name="parse">The parser.</param>
    /// <param name="status">What it must say of all the bytes.</param>
    /// <param name="result">What it must give with that status; not looked at with <see cref="FrameStatus.NeedMoreData"/>.</param>
    public static void AssertDecides<T>(byte[] bytes, ResumableParser<T> parse, FrameStatus status, T result)
    {
        foreach (var (how, parts) in Deliveries(bytes))
        {
            var arrived = new List<byte>();
            var decided = parse([], out var given);
            foreach (var part in parts)
            {
                if (decided != FrameStatus.NeedMoreData)
                    break;
                arrived.AddRange(part.Span);
                decided = parse(Embed(arrived.ToArray()).Span, out given);
            }

            Assert.True(status == decided, $"{how}: {decided} instead of {status}");
            if (status != FrameStatus.NeedMoreData)
                Assert.Equal(result, given);
        }

        var earlier = FrameStatus.NeedMoreData;
        foreach (var beginning in Truncations(bytes))
        {
            var decided = parse(beginning.Span, out _);
            Assert.True(decided == status || decided == FrameStatus.NeedMoreData, $"{decided} after {beginning.Length} bytes");
            Assert.True(earlier == FrameStatus.NeedMoreData || decided == earlier, $"taken back after {beginning.Length} bytes");
            earlier = decided;
        }
    }

    /// <summary>
    /// Copies bytes into the middle of a larger array, at an odd offset,
    /// so that a parser that counts from the array's ends is found out.
    /// </summary>
    public static Memory<byte> Embed(ReadOnlySpan<byte> bytes)
    {
        const int before = 7, after = 13;
        var larger = new byte[before + bytes.Length + after];
        larger.AsSpan().Fill(0xa5);
        bytes.CopyTo(larger.AsSpan(before));
        return larger.AsMemory(before, bytes.Length);
    }

    private static IEnumerable<int> Cuts(int length) => Enumerable.Range(0, length).Where(cut =>
        length <= CutEverywhere || cut < Near || length - cut <= Near || cut % Stride == 0
        || cut % Border < Near || cut % Border >= Border - Near);
}
