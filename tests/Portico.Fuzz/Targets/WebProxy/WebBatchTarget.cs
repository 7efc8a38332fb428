using System.Buffers;
using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.WebProxy;

/// <summary>A batch, by the reader of whole ones, whole and in two parts, and by the reader of pieces.</summary>
internal sealed class WebBatchTarget : WholeTarget
{
    public override string Name => "web-batch";

    public override IReadOnlyCollection<string> Expected { get; } =
        ["Ok", "Invalid Empty", "Invalid Incomplete", "Invalid UnknownType", "Invalid TooLarge"];

    public override IEnumerable<byte[]> Seeds =>
        WebSeeds.Cases("frames", "batches").Bytes("body").Concat(WebSeeds.Cases("frames", "uplink_shape").Bytes("frame"));

    public override IReadOnlyList<byte[]> Tokens => WebSeeds.Tokens;

    public override byte[]? MutateStructure(byte[] input, SplitMix random) => WebSeeds.RandomBatch(random);

    protected override Outcome Read(ReadOnlySpan<byte> message)
    {
        var copy = message.ToArray();
        var cut = copy.Length / 2;
        var last = new Part(copy.AsMemory(cut), cut);
        var first = new Part(copy.AsMemory(0, cut), 0, last);
        var whole = Whole(new ReadOnlySequence<byte>(copy), copy.Length);
        Demand(whole == Whole(new ReadOnlySequence<byte>(first, 0, last, copy.Length - cut), copy.Length), "depends on how a batch is cut");
        var pieces = Pieces(message, cut);
        Demand(
            whole == pieces || (whole.Reason, pieces.Reason) == ("Incomplete", "UnknownType"),
            $"is \"{pieces.Name}\" in pieces and \"{whole.Name}\" whole");
        return whole;
    }

    private static Outcome Whole(ReadOnlySequence<byte> batch, int length)
    {
        var digest = new Digest();
        var reader = new WebBatchReader(batch);
        var (consumed, shapes) = (0, 0);
        while (reader.TryRead(out var frame))
        {
            consumed += WebFrameHeader.Length + (int)frame.Payload.Length;
            shapes |= 1 << (int)UplinkShape.Check(frame);
            digest = digest.Add((long)frame.Type).Add(frame.Stream).Add(frame.Payload.ToArray());
        }

        Demand(consumed <= length && (reader.Error != WebProxyError.None || consumed == length), "leaves bytes between frames");
        return reader.Error == WebProxyError.None
            ? new Outcome(FrameStatus.Ok, "", 0, digest.Value, Math.Min(reader.Frames, 5))
            : new Outcome(FrameStatus.Invalid, reader.Error.ToString(), 0, digest.Value, Math.Min(reader.Frames, 5));
    }

    private static Outcome Pieces(ReadOnlySpan<byte> batch, int cut)
    {
        var digest = new Digest();
        var reader = new WebFrameReader();
        var frames = 0;
        Feed(batch[..cut], ref reader);
        Feed(batch[cut..], ref reader);
        var error = reader.AtEnd;
        return error == WebProxyError.None
            ? new Outcome(FrameStatus.Ok, "", 0, digest.Value, Math.Min(frames, 5))
            : new Outcome(FrameStatus.Invalid, error.ToString(), 0, digest.Value, Math.Min(frames, 5));

        void Feed(ReadOnlySpan<byte> piece, ref WebFrameReader reader)
        {
            reader.Append(piece);
            for (; reader.TryRead(out var header, out var payload, out _) == FrameStatus.Ok; frames++)
                digest = digest.Add((long)header.Type).Add(header.Stream).Add(payload);
        }
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(Memory<byte> bytes, long index, Part? next = null)
        {
            Memory = bytes;
            RunningIndex = index;
            Next = next;
        }
    }
}
