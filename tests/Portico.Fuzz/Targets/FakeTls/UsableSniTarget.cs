using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.FakeTls;

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>The lenient search for the name a stranger asks for.</summary>
internal sealed class UsableSniTarget : ResumableTarget
{
    private readonly HmacKey _key = new(VectorFile.Secret);
    private readonly byte[] _scratch = new byte[ClientHelloReader.MaxHelloLength];

    public override string Name => "usable-sni";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "NeedMoreData", "Invalid"];

    public override IEnumerable<byte[]> Seeds => HelloSeeds.All;

    public override IReadOnlyList<byte[]> Tokens => HelloSeeds.Tokens;

    public override int MaxLength => ClientHelloReader.MaxRawLength + 64;

    protected override int MostUndecided => ClientHelloReader.MaxRawLength;

    public override byte[]? MutateStructure(byte[] input, SplitMix random) => HelloMutation.Apply(input, random, _key);

    protected override Outcome Parse(Span<byte> bytes)
    {
        var status = ClientHelloReader.TryFindUsableSni(bytes, _scratch, out var sni);
        return new Outcome(status, "", 0, new Digest().Add(sni).Value, sni.IsEmpty ? 0 : 1);
    }

    protected override void CheckResult(ReadOnlySpan<byte> input, Outcome outcome) =>
        ContractException.Demand(
            outcome.Status == FrameStatus.Ok == (outcome.Shape == 1), "says there is a name and gives none, or the other way round");
}
