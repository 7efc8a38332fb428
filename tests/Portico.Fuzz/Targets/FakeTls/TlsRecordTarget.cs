using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>The records after the flight, decoded in place.</summary>
internal sealed class TlsRecordTarget : StreamTarget
{
    public override string Name => "tls-records";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "NeedMoreData", "Invalid Alert", "Invalid BadRecord"];

    public override IEnumerable<byte[]> Seeds => VectorFile.Bytes("tls_records.json", "decode", "stream");

    public override IReadOnlyList<byte[]> Tokens => HelloSeeds.Tokens;

    protected override IStreamDecoder Open(ReadOnlySpan<byte> preamble) => new Decoder();

    protected override bool IsFinal(Outcome outcome) => outcome.Status == FrameStatus.Invalid;

    protected override void CheckResult(byte[] preamble, byte[] stream, Outcome outcome)
    {
        // What we wrap, we unwrap: here the input is the payload.
        var wire = new byte[TlsRecordWriter.WireLength(stream.Length)];
        Demand(TlsRecordWriter.Wrap(stream, wire) == wire.Length, "wraps to another length than it says");
        var reader = default(TlsRecordReader);
        var payload = reader.Unwrap(wire, out var end);
        Demand(end == TlsRecordEnd.None && reader.IsAtBoundary && payload.SequenceEqual(stream), "does not unwrap what it wrapped");
    }

    private sealed class Decoder : IStreamDecoder
    {
        private TlsRecordReader _reader;
        private TlsRecordEnd _end;
        private Digest _payload = new();
        private int _length;

        public Outcome Outcome => _end == TlsRecordEnd.None
            ? new(_reader.IsAtBoundary ? FrameStatus.Ok : FrameStatus.NeedMoreData, "", _length, _payload.Value)
            : new(FrameStatus.Invalid, _end.ToString(), _length, _payload.Value);

        public void Feed(Span<byte> piece)
        {
            var payload = _reader.Unwrap(piece, out var end);
            Demand(payload.IsEmpty || piece.Overlaps(payload), "gives bytes that are no part of what was read");
            Demand(_end == TlsRecordEnd.None || (end == _end && payload.IsEmpty), "goes on after an end");
            _end = end;
            _payload.AddPiece(payload);
            _length += payload.Length;
        }
    }
}
