using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>Collecting a hello and reading its fields.</summary>
internal sealed class ClientHelloTarget : ResumableTarget
{
    private readonly HmacKey _key = new(VectorFile.Secret);

    // Never cleared: what an earlier hello left there must not show.
    private readonly byte[] _scratch = new byte[ClientHelloReader.MaxHelloLength];

    public override string Name => "client-hello";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok", "NeedMoreData", "Invalid TlsClientHelloExpected", "Invalid TlsClientHelloTooShort", "Invalid TlsClientHelloTooLong",
        "Invalid TlsBadClientHello",
    ];

    public override IEnumerable<byte[]> Seeds => HelloSeeds.All;

    public override IReadOnlyList<byte[]> Tokens => HelloSeeds.Tokens;

    public override int MaxLength => ClientHelloReader.MaxRawLength + 64;

    protected override int MostUndecided => ClientHelloReader.MaxRawLength;

    public override byte[]? MutateStructure(byte[] input, SplitMix random) => HelloMutation.Apply(input, random, _key);

    protected override Outcome Parse(Span<byte> bytes)
    {
        var status = ClientHelloReader.TryCollect(bytes, _scratch, out var oneRecord, out var consumed, out var error);
        if (status != FrameStatus.Ok) return Outcome.Of(status, error);
        if (!ClientHello.TryParse(oneRecord, out var hello, out error))
            return Outcome.Of(FrameStatus.Invalid, error);

        DemandInside(oneRecord, hello.SessionId);
        DemandInside(oneRecord, hello.CipherSuites);
        DemandInside(oneRecord, hello.Sni);
        DemandInside(oneRecord, hello.X25519Share);
        Demand(hello.SessionId.Length <= 32 && hello.X25519Share.Length is 0 or 32, "gives a field of a length that cannot be");
        Demand(
            !bytes.Overlaps(_scratch) && oneRecord.Length <= ClientHelloReader.MaxHelloLength,
            "gives a hello of a length that cannot be");
        var digest = new Digest().Add(oneRecord).Add(hello.SessionId)
            .Add(hello.CipherSuites).Add(hello.Sni).Add(hello.X25519Share).Add(hello.HasKeyShareExtension ? 1 : 0);
        var shape = (hello.Sni.IsEmpty ? 0 : 1) | (hello.X25519Share.IsEmpty ? 0 : 2) | (hello.HasKeyShareExtension ? 4 : 0)
            | (hello.SessionId.IsEmpty ? 0 : 8) | (consumed == oneRecord.Length ? 0 : 16);
        return new Outcome(status, "", consumed, digest.Value, shape);
    }

    protected override void CheckResult(ReadOnlySpan<byte> input, Outcome outcome)
    {
        if (outcome.Status != FrameStatus.Ok) return;
        ClientHelloReader.TryCollect(input, _scratch, out var oneRecord, out _, out _);
        var joined = oneRecord.ToArray();
        Demand(ClientHello.TryParse(joined, out var hello, out _), "does not read a hello again");
        // The one-record form stands for itself, and the cover's lenient look finds the name that the judge found.
        Demand(
            ClientHelloReader.TryCollect(joined, _scratch, out var again, out _, out _) == FrameStatus.Ok && again.SequenceEqual(joined),
            "does not take its own one-record form");
        var named = ClientHelloReader.TryFindUsableSni(joined, _scratch, out var sni) == FrameStatus.Ok;
        Demand(named ? sni.SequenceEqual(hello.Sni) : hello.Sni.IsEmpty, "finds one name for the judge and another for the cover");
    }

    private static void DemandInside(ReadOnlySpan<byte> hello, ReadOnlySpan<byte> field) =>
        Demand(field.IsEmpty || hello.Overlaps(field), "gives a field that is no part of the hello");
}
