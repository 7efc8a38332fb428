using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>All checks of a hello in their order, with two secrets of which the second is the right one.</summary>
internal sealed class HelloExaminationTarget : ResumableTarget
{
    private readonly HmacKey[] _keys = [new(ProxySecret.Create("0123456789abcdef"u8)), new(VectorFile.Secret)];
    private readonly byte[] _scratch = new byte[ClientHelloReader.MaxHelloLength];

    public override string Name => "hello-examination";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok", "NeedMoreData", "Invalid TlsClientHelloExpected", "Invalid TlsClientHelloTooShort", "Invalid TlsClientHelloTooLong",
        "Invalid TlsBadClientHello", "Invalid TlsNoSni", "Invalid TlsInvalidDigest",
        "Invalid TlsMissingKeyShareExt", "Invalid TlsUnsupportedKeyShares", "Invalid TlsNoCommonCipher", "Invalid TlsTime",
    ];

    public override IEnumerable<byte[]> Seeds => HelloSeeds.All;

    public override IReadOnlyList<byte[]> Tokens => HelloSeeds.Tokens;

    public override int MaxLength => ClientHelloReader.MaxRawLength + 64;

    protected override int MostUndecided => ClientHelloReader.MaxRawLength;

    public override byte[]? MutateStructure(byte[] input, SplitMix random) => HelloMutation.Apply(input, random, _keys[1]);

    protected override Outcome Parse(Span<byte> bytes)
    {
        var status = HelloExamination.Examine(
            bytes, _scratch, _keys, TimeWindow.Default, VectorFile.Now, TlsCipherSuites.None, out var verdict);
        if (status != FrameStatus.Ok) return Outcome.Of(status, verdict.Error);

        Demand(
            verdict.Error == ProtocolError.None && verdict.KeyIndex == 1 && !verdict.Hello.Sni.IsEmpty
                && verdict.Hello.X25519Share.Length == 32,
            "accepts a hello that lacks something");
        Demand(
            verdict.CipherSuite is 0x1301 or 0x1302 or 0x1303 && TimeWindow.Default.Accepts(verdict.Timestamp, VectorFile.Now),
            "accepts a hello that it could not answer");
        var digest = new Digest().Add(verdict.Hello.Bytes).Add(verdict.Hello.Sni).Add(verdict.Timestamp).Add(verdict.CipherSuite);
        return new Outcome(status, "", verdict.RawConsumed, digest.Value, verdict.CipherSuite);
    }
}
