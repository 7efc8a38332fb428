using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Crypto;

/// <summary>
/// The stream cipher with intrinsics, against protected pages and its portable twin:
/// 32 bytes of key, 16 of counter, then what is encrypted.
/// </summary>
internal sealed class AesCtrTarget : StreamTarget
{
    private const int KeyLength = 32;

    public override string Name => "aes-ctr";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok"];

    // A counter about to overflow its lower half and its whole.
    public override IEnumerable<byte[]> Seeds { get; } =
    [
        new byte[48 + 700],
        [.. new byte[40], .. Enumerable.Repeat((byte)0xff, 8), .. new byte[300]],
        [.. new byte[32], .. Enumerable.Repeat((byte)0xff, 16), .. new byte[129]],
    ];

    protected override int PreambleLength => KeyLength + 16;

    protected override IStreamDecoder Open(ReadOnlySpan<byte> preamble) => new Cipher(Start(preamble));

    protected override void CheckResult(byte[] preamble, byte[] stream, Outcome outcome)
    {
        var twin = Start(preamble);
        var expected = new byte[stream.Length];
        AesCtr.TransformPortable(ref twin, stream, expected);
        Demand(outcome.Result == DigestOf(expected), "encrypts otherwise than its portable twin");

        // Two streams at once, beginning at positions that are equal or not, into an output that begins before its input.
        var (first, second) = (Start(preamble), Start([.. preamble.Reverse()]));
        var (one, other) = (first, second);
        var skipped = stream.Length == 0 ? 0 : stream[0] % 33;
        second.Skip(skipped);
        other.Skip(skipped);
        var both = stream.ToArray();
        AesCtr.TransformBoth(ref first, ref second, both);
        var shifted = new byte[stream.Length + 5];
        stream.CopyTo(shifted.AsSpan(5));
        one.Transform(shifted.AsSpan(5), shifted);
        other.Transform(shifted.AsSpan(0, stream.Length));
        Demand(both.AsSpan().SequenceEqual(shifted.AsSpan(0, stream.Length)), "does in one pass something else than in two");
    }

    private static AesCtr Start(ReadOnlySpan<byte> preamble) => new(preamble[..KeyLength], preamble[KeyLength..]);

    private static ulong DigestOf(ReadOnlySpan<byte> bytes)
    {
        var digest = new Digest();
        digest.AddPiece(bytes);
        return digest.Value;
    }

    private sealed class Cipher(AesCtr start) : IStreamDecoder
    {
        private AesCtr _stream = start;
        private Digest _output = new();
        private int _length;

        public Outcome Outcome => new(FrameStatus.Ok, "", _length, _output.Value);

        public void Feed(Span<byte> piece)
        {
            _stream.Transform(piece);
            _output.AddPiece(piece);
            _length += piece.Length;
        }
    }
}
