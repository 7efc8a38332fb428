using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Crypto;

/// <summary>
/// The block cipher of the link to a middle proxy, against protected pages
/// and its portable twin: 32 bytes of key, 16 of iv, then whole blocks.
/// </summary>
internal sealed class AesCbcTarget : StreamTarget
{
    public override string Name => "aes-cbc";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok"];

    public override IEnumerable<byte[]> Seeds { get; } = [new byte[48 + (16 * 40)], new byte[48 + 16]];

    protected override int Grain => AesCbc256.BlockLength;

    protected override int PreambleLength => AesCbc256.KeyLength + AesCbc256.BlockLength;

    protected override IStreamDecoder Open(ReadOnlySpan<byte> preamble) => new Cipher(preamble.ToArray());

    protected override void CheckResult(byte[] preamble, byte[] stream, Outcome outcome)
    {
        var (key, iv) = (preamble[..AesCbc256.KeyLength], preamble[AesCbc256.KeyLength..]);
        var (twinIv, backIv) = (iv.ToArray(), iv.ToArray());
        var (plain, twin) = (stream.ToArray(), stream.ToArray());
        AesCbc256.Decrypt(key, iv, plain);
        AesCbc256.DecryptPortable(key, twinIv, twin);
        Demand(plain.AsSpan().SequenceEqual(twin) && iv.AsSpan().SequenceEqual(twinIv), "decrypts otherwise than its portable twin");
        AesCbc256.Encrypt(key, backIv, plain);
        Demand(plain.AsSpan().SequenceEqual(stream) && backIv.AsSpan().SequenceEqual(iv), "does not encrypt what it decrypted");
    }

    private sealed class Cipher(byte[] keyAndIv) : IStreamDecoder
    {
        private Digest _output = new();
        private int _length;

        public Outcome Outcome => new(FrameStatus.Ok, "", _length, _output.Value);

        public void Feed(Span<byte> piece)
        {
            AesCbc256.Decrypt(keyAndIv.AsSpan(0, AesCbc256.KeyLength), keyAndIv.AsSpan(AesCbc256.KeyLength), piece);
            _output.AddPiece(piece);
            _length += piece.Length;
        }
    }
}
