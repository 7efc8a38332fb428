using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.MiddleProxy;

/// <summary>The next frame of a link to a middle proxy, after decryption.</summary>
internal sealed class FullFrameTarget : ResumableTarget
{
    // Short enough that an input can be longer.
    private const int LongestFrame = 1024;
    private const int LongestPadding = 64;
    private const int Overhead = FullFrame.HeaderLength + FullFrame.TrailerLength;

    public override string Name => "full-frame";

    public override IReadOnlyCollection<string> Expected { get; } =
        ["Ok", "NeedMoreData", "Invalid WrongAlignment", "Invalid WrongLength", "Invalid WrongSequence", "Invalid WrongChecksum"];

    public override IEnumerable<byte[]> Seeds => VectorFile.Bytes("mtp_full.json", "frames", "padded_to_16")
        .Concat(VectorFile.Bytes("mtp_full.json", "streams", "plaintext")).Where(bytes => bytes.Length <= MaxLength);

    public override IReadOnlyList<byte[]> Tokens { get; } =
        [[4, 0, 0, 0], [0, 0, 0, 0], [12, 0, 0, 0], [0, 0, 0, 1], [0, 4, 0, 0], [4, 4, 0, 0]];

    /// <summary>A new length, and a checksum that fits: blind changes hardly get beyond it.</summary>
    public override byte[]? MutateStructure(byte[] input, SplitMix random)
    {
        var length = Math.Min(LongestFrame, Math.Max(Overhead, (input.Length + random.Below(9) * 4 - 16) & ~3));
        var frame = new byte[length];
        input.AsSpan(0, Math.Min(input.Length, length)).CopyTo(frame);
        FullFrame.Seal(frame, random.OneIn(8) ? random.Below(3) - 1 : 0);
        var padding = new byte[4 * random.Below(4)];
        FullFrame.WritePadding(padding);
        return [.. padding, .. frame, .. random.OneIn(2) ? frame : []];
    }

    protected override Outcome Parse(Span<byte> bytes)
    {
        var status = FullFrame.TryRead(bytes, sequence: 0, checkCrc: true, out var frame, out var error, LongestFrame);
        if (status != FrameStatus.Ok) return Outcome.Of(status, error);

        Demand(
            frame.PayloadOffset >= FullFrame.HeaderLength
                && frame.PayloadLength >= 0
                && frame.PayloadOffset + frame.PayloadLength + FullFrame.TrailerLength == frame.Consumed,
            "gives a payload outside its frame");
        var payload = bytes.Slice(frame.PayloadOffset, frame.PayloadLength);
        var written = new byte[payload.Length + Overhead];
        Demand(
            FullFrame.Write(written, 0, payload) == written.Length
                && written.AsSpan().SequenceEqual(bytes[(frame.PayloadOffset - FullFrame.HeaderLength)..frame.Consumed]),
            "does not write what it read");
        return new Outcome(status, "", frame.Consumed, new Digest().Add(payload).Value, (frame.PayloadOffset - FullFrame.HeaderLength) / 4);
    }

    protected override void CheckResult(ReadOnlySpan<byte> input, Outcome outcome)
    {
        if (outcome.Status != FrameStatus.NeedMoreData) return;
        FullFrame.TryRead(input, 0, true, out var frame, out _, LongestFrame);
        Demand(
            frame.Consumed <= input.Length && (frame.Length == 0 || frame.Consumed + frame.Length > input.Length),
            "waits for bytes that are there");
        Demand(input.Length - frame.Consumed < LongestFrame + LongestPadding, "keeps more bytes than the longest frame has");
    }
}
