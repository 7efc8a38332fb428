using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.FakeTls;

/// <summary>What the cover, or somebody in its place, answers to the learner.</summary>
internal sealed class ServerFlightMeterTarget : StreamTarget
{
    private static readonly byte[] RetryRandom = Convert.FromHexString("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C");

    public override string Name => "server-flight-meter";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok", "NeedMoreData",
        .. Enum.GetValues<ServerFlightEnd>().Where(end => end != ServerFlightEnd.None).Select(end => $"Invalid {end}"),
    ];

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            var flights = VectorFile.Bytes("fake_tls.json", "server_hello_cases", "response").ToList();
            var flight = flights[0];
            var hello = flight[..(5 + 256 * flight[3] + flight[4])];
            var retry = Convert.FromHexString(
                "1603030038020000340303" + Convert.ToHexString(RetryRandom) + "00130100000c" + "002b00020304" + "003300020017");
            return
            [
                .. flights,
                [0x15, 3, 3, 0, 2, 2, 40],
                [.. "HTTP/1.1 400 Bad Request"u8],
                [.. flight, 0x16, 3, 3, 0, 1, 0],
                [.. flight[..5], 1, .. flight[6..]],
                Renamed(hello),
                retry,
                [.. hello, .. Enumerable.Range(0, 257).SelectMany(_ => (byte[])[0x17, 3, 3, 0, 17, .. new byte[17]])],
            ];
        }
    }

    public override IReadOnlyList<byte[]> Tokens =>
        [.. HelloSeeds.Tokens, RetryRandom, [0, 0x2b, 0, 2, 3, 4], [0x17, 3, 3, 0, 17, .. new byte[17]]];

    public override int MaxLength => 1 << 14;

    public override byte[]? MutateStructure(byte[] input, SplitMix random) =>
        input.Length == 0 ? null : NumberMutation.Apply(input, random);

    protected override IStreamDecoder Open(ReadOnlySpan<byte> preamble) => new Decoder();

    protected override bool IsFinal(Outcome outcome) => outcome.Status == FrameStatus.Invalid;

    // A hello without the version of TLS 1.3 is one of an older server.
    private static byte[] Renamed(byte[] hello)
    {
        var older = hello.ToArray();
        older[older.AsSpan().IndexOf((ReadOnlySpan<byte>)[0, 0x2b, 0, 2, 3, 4]) + 1] = 0x7a;
        return older;
    }

    private sealed class Decoder : IStreamDecoder
    {
        private readonly ServerFlightMeter _meter = new();

        public Outcome Outcome
        {
            get
            {
                var digest = new Digest().Add(_meter.Hello.CipherSuite).Add(_meter.Hello.Group)
                    .Add((int)_meter.Hello.Order).Add(_meter.RecordLengths.Count).Add(_meter.AlertDescription).Value;
                var shape = (_meter.HasHello ? 1 : 0) | (_meter.HasChangeCipherSpec ? 2 : 0) | (_meter.Hello.HasOtherExtensions ? 4 : 0);
                var status = _meter.End != ServerFlightEnd.None ? FrameStatus.Invalid
                    : _meter.IsAtBoundary ? FrameStatus.Ok
                    : FrameStatus.NeedMoreData;
                return new Outcome(
                    status, status == FrameStatus.Invalid ? _meter.End.ToString() : "", _meter.EncryptedLength, digest, shape);
            }
        }

        public void Feed(Span<byte> piece)
        {
            var before = _meter.End;
            var end = _meter.Feed(piece);
            Demand(before == ServerFlightEnd.None || end == before, "goes on after an end");
            Demand(_meter.EncryptedLength <= ServerFlightMeter.MaxEncryptedLength, "measures more than there may be");
            Demand(
                _meter.RecordLengths.Sum() + 5 * _meter.RecordLengths.Count == _meter.EncryptedLength,
                "does not sum up what it measured");
            Demand(_meter.HasHello || _meter.EncryptedLength == 0, "takes encrypted records before a hello");
        }
    }
}
