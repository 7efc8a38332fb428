using System.Net;
using Portico.Core.Handshake;
using Portico.Core.Options;
using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Fuzz.Targets.FakeTls;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Obfuscation;
using Portico.Protocol.Secrets;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Handshake;

/// <summary>Mine or not mine, on a listener that speaks everything but plain clients, with two secrets.</summary>
internal sealed class JudgeTarget : ResumableTarget
{
    private readonly byte[] _scratch = new byte[Judge.ScratchLength];
    private readonly HmacKey _key = new(VectorFile.Secret);
    private readonly Judge _judge = new JudgeMaker(
        new ListenerSettings
        {
            Name = "main",
            Address = new IPEndPoint(IPAddress.Loopback, 0),
            Credentials = [new("one", ProxySecret.Create("0123456789abcdef"u8)), new("two", VectorFile.Secret)],
            Protocols = ClientProtocols.FakeTls | ClientProtocols.Secure,
        },
        TimeWindow.Default).Create();

    public override string Name => "judge";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok Hello", "Ok Header", "NeedMoreData", "Invalid UnknownProtocol",
        "Invalid DisabledProtocol", "Invalid TlsClientHelloTooShort", "Invalid TlsClientHelloTooLong",
        "Invalid TlsBadClientHello", "Invalid TlsNoSni",
        "Invalid TlsInvalidDigest", "Invalid TlsMissingKeyShareExt",
        "Invalid TlsUnsupportedKeyShares", "Invalid TlsNoCommonCipher", "Invalid TlsTime",
    ];

    public override IEnumerable<byte[]> Seeds => [.. HelloSeeds.All, .. VectorFile.Bytes("obfuscated2.json", "cases", "header")];

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. HelloSeeds.Tokens, [.. "GET / HTTP/1.1\r\n"u8], [.. "OPTI"u8],
        [.. "SSH-2.0-OpenSSH_9"u8], [0xdd, 0xdd, 0xdd, 0xdd], [0, 0, 0, 0],
    ];

    public override int MaxLength => Judge.MaxRawLength + 64;

    protected override int MostUndecided => Judge.MaxRawLength;

    public override byte[]? MutateStructure(byte[] input, SplitMix random)
    {
        if (HelloMutation.Apply(input, random, _key) is { } hello) return hello;
        if (input.Length < ObfuscatedHeader.Length) return null;
        var header = input.ToArray();
        ObfuscatedHeader.Write(header, VectorFile.Secret, (Transport)random.Below(3), (short)random.Next(), out _);
        return header;
    }

    protected override Outcome Parse(Span<byte> bytes)
    {
        var progress = default(TrialProgress); // two secrets are tried in one slice
        var verdict = _judge.Decide(bytes, _scratch, VectorFile.Now, ref progress, out var judgement);
        if (verdict == Verdict.Undecided) return Outcome.NeedMoreData;
        if (verdict == Verdict.Stranger) return Outcome.Of(FrameStatus.Invalid, judgement.Reason);
        Demand(judgement.Credential?.Secret == VectorFile.Secret, "takes one secret for another");
        return judgement.IsTls
            ? new Outcome(FrameStatus.Ok, "Hello", judgement.Hello.RawConsumed, new Digest().Add(judgement.Hello.Hello.Bytes).Value)
            : new Outcome(
                FrameStatus.Ok, "Header", ObfuscatedHeader.Length,
                new Digest().Add(judgement.DcId).Add((int)judgement.Transport).Value, (int)judgement.Transport);
    }
}
