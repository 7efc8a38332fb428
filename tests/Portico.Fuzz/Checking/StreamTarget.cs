using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Checking;

/// <summary>A decoder that keeps state and is given each byte once, in pieces that may end anywhere.</summary>
internal abstract class StreamTarget : Target
{
    private const int LongestTail = 24;

    /// <summary>Pieces are multiples of this many bytes.</summary>
    protected virtual int Grain => 1;

    /// <summary>
    /// So many bytes at the front are not part of the stream but given to <see cref="Open"/>:
    /// keys and the like. A shorter input has zeros there.
    /// </summary>
    protected virtual int PreambleLength => 0;

    public sealed override (Outcome Outcome, int DecidedAt) Check(byte[] input, Ground ground)
    {
        var (preamble, stream) = Divide(input);
        var whole = Decode(preamble, stream, stream.Length, 0, ground.Light, ground.Light);
        DemandExpected(whole);
        Demand(whole.Consumed <= stream.Length, $"gives {whole.Consumed} bytes for {stream.Length}");
        foreach (var bed in ground.OtherBeds)
            Demand(
                whole == Decode(preamble, stream, stream.Length, 0, bed, bed),
                $"says something else where other bytes stand around the same input ({bed})");

        var grains = stream.Length / Grain;
        for (var i = 0; i < 2 && grains > 0; i++)
        {
            // Three pieces: up to the first cut, as much again at most, the rest.
            var first = Grain * ground.Random.Below(grains + 1);
            var second = Grain * ground.Random.Below(grains + 1);
            DemandSame(whole, Decode(preamble, stream, first, second, ground.Light, ground.NextOther()), $"cut after {first} and {second}");
        }

        if (IsFinal(whole))
            DemandSame(
                whole,
                Decode(preamble, [.. stream, .. ground.Random.Bytes(Grain * LongestTail)], stream.Length, 0, ground.Light, ground.Light),
                "with more behind its end");

        CheckResult(preamble, stream, whole);
        return (whole, stream.Length);
    }

    public sealed override void CheckThoroughly(byte[] input, Ground ground)
    {
        var (preamble, stream) = Divide(input);
        var whole = Decode(preamble, stream, stream.Length, 0, ground.Light, ground.Light);
        var decoder = Open(preamble);
        for (var at = 0; at < stream.Length; at += Grain) Feed(decoder, stream.AsSpan(at, Grain), ground.NextOther());
        DemandSame(whole, decoder.Outcome, "byte by byte");
    }

    /// <summary>A decoder at the beginning of its stream.</summary>
    protected abstract IStreamDecoder Open(ReadOnlySpan<byte> preamble);

    /// <summary>Whether nothing that follows may change the outcome.</summary>
    protected virtual bool IsFinal(Outcome outcome) => false;

    /// <summary>What must hold between a stream and what was made of it, beyond the rules of all decoders.</summary>
    protected virtual void CheckResult(byte[] preamble, byte[] stream, Outcome outcome)
    {
    }

    private (byte[] Preamble, byte[] Stream) Divide(byte[] input)
    {
        var preamble = new byte[PreambleLength];
        var given = Math.Min(PreambleLength, input.Length);
        input.AsSpan(0, given).CopyTo(preamble);
        var rest = input[given..];
        return (preamble, rest[..(rest.Length / Grain * Grain)]);
    }

    private Outcome Decode(byte[] preamble, byte[] stream, int first, int second, Bed firstBed, Bed nextBed)
    {
        var decoder = Open(preamble);
        var next = Math.Min(stream.Length, first + second);
        Feed(decoder, stream.AsSpan(0, first), firstBed);
        Feed(decoder, stream.AsSpan(first, next - first), nextBed);
        Feed(decoder, stream.AsSpan(next), firstBed);
        return decoder.Outcome;
    }

    private static void Feed(IStreamDecoder decoder, ReadOnlySpan<byte> piece, Bed bed)
    {
        if (piece.IsEmpty) return;
        decoder.Feed(bed.Lay(piece));
        Demand(bed.IsUntouched, "writes outside its input");
    }

    private static void DemandSame(Outcome whole, Outcome cut, string how) =>
        Demand(
            whole == cut,
            $"{how}: \"{cut.Name}\" with {cut.Consumed} bytes of output instead of \"{whole.Name}\" with {whole.Consumed}, or other bytes");
}

/// <summary>A stream under way.</summary>
internal interface IStreamDecoder
{
    /// <summary>What was made of everything so far; Consumed counts the bytes given out.</summary>
    Outcome Outcome { get; }

    /// <summary>Takes the next bytes, which it may change in place.</summary>
    void Feed(Span<byte> piece);
}
