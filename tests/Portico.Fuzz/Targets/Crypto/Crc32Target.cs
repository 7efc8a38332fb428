using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Crypto;

/// <summary>The checksum with intrinsics, against protected pages and its portable twin.</summary>
internal sealed class Crc32Target : StreamTarget
{
    public override string Name => "crc32";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok"];

    public override IEnumerable<byte[]> Seeds { get; } = [[.. "123456789"u8], new byte[64], new byte[1000]];

    protected override IStreamDecoder Open(ReadOnlySpan<byte> preamble) => new Sum();

    protected override void CheckResult(byte[] preamble, byte[] stream, Outcome outcome) =>
        Demand(outcome.Result == ~Crc32.AppendPortable(~0u, stream), "sums up otherwise than its portable twin");

    private sealed class Sum : IStreamDecoder
    {
        private uint _sum;

        public Outcome Outcome => new(FrameStatus.Ok, "", 0, _sum);

        public void Feed(Span<byte> piece) => _sum = Crc32.Append(_sum, piece);
    }
}
