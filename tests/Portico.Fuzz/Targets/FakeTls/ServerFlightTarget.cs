using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>The client's check of what a proxy answered.</summary>
internal sealed class ServerFlightTarget : ResumableTarget
{
    private const int RandomOffset = 11;
    private const int RandomEnd = 43;

    private static readonly byte[] ClientRandom = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private readonly HmacKey _key = new(VectorFile.Secret);

    public override string Name => "server-flight";

    public override IReadOnlyCollection<string> Expected { get; } =
        ["Ok", "NeedMoreData", "Invalid Alert", "Invalid OtherServer", "Invalid WrongDigest", "Invalid NotTls"];

    public override IEnumerable<byte[]> Seeds => VectorFile.Bytes("fake_tls.json", "server_hello_cases", "response").Select(Signed);

    public override IReadOnlyList<byte[]> Tokens => HelloSeeds.Tokens;

    public override int MaxLength => 1 << 14;

    public override byte[]? MutateStructure(byte[] input, SplitMix random)
    {
        if (input.Length < RandomEnd) return null;
        // Bytes more or fewer in the last record, whose length is the only one that may vary.
        var end = Math.Min(input.Length, RandomEnd + random.Below(input.Length));
        var flight = random.OneIn(2) ? NumberMutation.Apply(input, random) : [.. input[..end], .. random.Bytes(random.Below(64))];
        return random.OneIn(4) ? flight : Signed(flight);
    }

    protected override Outcome Parse(Span<byte> bytes)
    {
        var status = ServerFlightVerifier.Verify(bytes, ClientRandom, _key, out var length, out var fault);
        return status == FrameStatus.Ok ? new Outcome(status, "", length) : Outcome.Of(status, fault);
    }

    protected override void CheckResult(ReadOnlySpan<byte> input, Outcome outcome)
    {
        if (outcome.Status != FrameStatus.Ok) return;
        var flight = input[..outcome.Consumed].ToArray();
        Demand(flight.AsSpan().SequenceEqual(Signed(flight)), "takes a flight that is not signed");
        // Every byte counts: none may be changed on the way.
        flight[(int)(Digest(flight) % (ulong)flight.Length)] ^= 0x40;
        Demand(
            ServerFlightVerifier.Verify(flight, ClientRandom, _key, out _, out _) != FrameStatus.Ok,
            "takes a flight of which a bit was changed");
    }

    private static ulong Digest(byte[] bytes) => new Digest().Add(bytes).Value;

    private byte[] Signed(byte[] flight)
    {
        var signed = flight.ToArray();
        if (signed.Length < RandomEnd) return signed;
        // The digest covers the three records alone, so what stands behind them must not count.
        var end = EndOfThird(signed);
        signed.AsSpan(RandomOffset..RandomEnd).Clear();
        _key.Append(ClientRandom);
        _key.Append(signed.AsSpan(0, end));
        _key.Finish(signed.AsSpan(RandomOffset..RandomEnd));
        return signed;
    }

    private static int EndOfThird(ReadOnlySpan<byte> flight)
    {
        var end = 0;
        for (var record = 0; record < 3 && end + 5 <= flight.Length; record++)
            end += 5 + (int)NumberMutation.Read(flight.Slice(end + 3, 2), bigEndian: true);
        return Math.Min(end, flight.Length);
    }
}
