using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

/// <summary>Frames in the shapes that tests like.</summary>
internal static class Frames
{
    public static byte[] Write(int sequence, ReadOnlySpan<byte> payload)
    {
        var wire = new byte[payload.Length + FullFrame.HeaderLength + FullFrame.TrailerLength];
        Assert.Equal(wire.Length, FullFrame.Write(wire, sequence, payload));
        return wire;
    }

    /// <summary>Frames and the padding behind them.</summary>
    public static byte[] Pad(byte[] frames)
    {
        var padding = new byte[FullFrame.PaddingLength(frames.Length)];
        FullFrame.WritePadding(padding);
        return [.. frames, .. padding];
    }

    public static ResumableParser<(FullFrame Frame, MiddleProxyError Error)> Parser(
        int sequence, bool checkCrc = true, int maxLength = FullFrame.MaxLength) =>
        (ReadOnlySpan<byte> bytes, out (FullFrame Frame, MiddleProxyError Error) result) =>
            FullFrame.TryRead(bytes, sequence, checkCrc, out result.Frame, out result.Error, maxLength);

    /// <summary>
    /// Asserts that a receiver gets these payloads and comes to this end
    /// however the bytes arrive, and on a shorter stream to nothing else.
    /// </summary>
    public static void AssertReceived(byte[] stream, Func<FullReceiver> start, byte[][] payloads, MiddleProxyError error)
    {
        foreach (var (how, parts) in Segmentation.Deliveries(stream))
        {
            var receiver = start();
            foreach (var part in parts)
                receiver.Receive(part.Span);

            Assert.True(error == receiver.Error, $"{how}: {receiver.Error} instead of {error}");
            Assert.True(Same(payloads, receiver.Payloads), $"{how}: other payloads");
        }

        foreach (var beginning in Segmentation.Truncations(stream))
        {
            var receiver = start();
            receiver.Receive(beginning.Span);

            Assert.True(
                receiver.Error == error || receiver.Error == MiddleProxyError.None,
                $"{receiver.Error} after {beginning.Length} bytes");
            Assert.True(Same(payloads.Take(receiver.Payloads.Count), receiver.Payloads), $"other payloads after {beginning.Length} bytes");
        }
    }

    /// <summary>
    /// Whether the same payloads arrived in the same order.
    /// The runner's own comparison takes seconds for as many deliveries.
    /// </summary>
    public static bool Same(IEnumerable<byte[]> sent, List<byte[]> received) =>
        sent.Count() == received.Count && sent.Zip(received).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
}
