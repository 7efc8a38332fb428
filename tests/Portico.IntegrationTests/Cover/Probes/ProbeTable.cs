using System.Collections.Immutable;
using System.Text;
using Portico.TestKit.Covers;
using static Portico.IntegrationTests.Cover.Probes.ProbeStep;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>
/// What censors and scanners send to find out what listens: hellos of every shape, broken and whole, other protocols,
/// random bytes, with what nginx 1.22 on OpenSSL 3.0 answers them. FLIGHT stands for the answer to an honest hello,
/// CERT for a certificate's length in TLS 1.3; a length of a signature may be two more or less.
/// </summary>
internal static class ProbeTable
{
    private const string Flight = "HS(2):122 CCS:1 APP:36 APP:CERT APP:96 APP:53";
    private const string Http400 = "PLAIN:309, FIN";

    private static readonly ProbeHello Hello = new();

    private static readonly byte[] Honest = Hello.ToRecord();

    public static ImmutableArray<Probe> All { get; } =
    [
        Answered("P01", "hello of TLS 1.3", Hello),
        Answered("P02", "hello with a post-quantum share", Hello
            .With(Extension.Groups, 0, 8, 0x11, 0xec, 0, 0x1d, 0, 0x17, 0, 0x18)
            .With(Extension.KeyShare, Extension.Shares((0x11ec, ProbeRandom.Bytes(1216)), (0x1d, [.. ProbeRandom.Bytes(31), 0x55])))),
        Answered("P03", "another name", Hello.With(Extension.ServerName, Extension.Name("other.example"))),
        Row("P04", "no name", "HS(2):122 CCS:1 APP:32 APP:CERT APP:96 APP:53, OPEN", Hello.Without(Extension.ServerName).ToRecord()),
        Answered("P05", "name in capitals", Hello.With(Extension.ServerName, Extension.Name(CoverServer.Name.ToUpperInvariant()))),
        Answered("P06", "an address as the name", Hello.With(Extension.ServerName, Extension.Name("127.0.0.1"))),
        Row("P07", "NUL in the name", "ALERT(2,112), FIN", Hello.With(Extension.ServerName, Extension.Name("cover\0test")).ToRecord()),
        Answered("P08", "empty name", Hello.With(Extension.ServerName, Extension.Name(""))),
        Answered("P09", "short hello without padding", Hello with { PaddedLength = 0 }),
        Row("P10", "TLS 1.2 only", "HS(2):78 HS(11):CERT-20 HS(12):115 HS(14):4, OPEN", Old(0x0303)),
        Row("P11", "TLS 1.1 only", "ALERT(2,70)/0302, FIN", Old(0x0302)),
        Row("P12", "TLS 1.0 only", "ALERT(2,70)/0301, FIN", Old(0x0301)),
        Row("P13", "SSL 3", "ALERT(2,40)/0300, FIN", Old(0x0300, recordVersion: 0x0300)),
        Row(
            "P14", "SSL 2", "no bytes, OPEN",
            [0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10, 1, 0, 0x80, 2, 0, 0x80, 3, 0, 0x80, .. ProbeRandom.Bytes(16)]),
        Answered("P15", "record version 0303", Hello with { RecordVersion = 0x0303 }),
        Answered("P16", "record version 0399", Hello with { RecordVersion = 0x0399 }),
        Row("P17", "record version 0501", "no bytes, FIN", (Hello with { RecordVersion = 0x0501 }).ToRecord()),
        Answered("P18", "legacy version 0304", Hello with { LegacyVersion = 0x0304 }),
        Row("P19", "no session id", "HS(2):90 CCS:1 APP:36 APP:CERT APP:96 APP:53, OPEN", (Hello with { SessionIdLength = 0 }).ToRecord()),
        Row("P20", "session id of 33 bytes", "ALERT(2,50), FIN", (Hello with { SessionIdLength = 33 }).ToRecord()),
        Row("P21", "unknown suites only", "ALERT(2,40), FIN", (Hello with { Suites = [0x13, 5, 0x13, 6] }).ToRecord()),
        Row("P22", "no suites", "ALERT(2,47), FIN", (Hello with { Suites = [] }).ToRecord()),
        Row("P23", "an odd number of bytes of suites", "ALERT(2,50), FIN", (Hello with { Suites = [0x13, 1, 0x13, 2, 0x13] }).ToRecord()),
        Row("P24", "compression without null", "ALERT(2,50), FIN", (Hello with { Compression = [1] }).ToRecord()),
        Row("P25", "no extensions", "ALERT(2,40), FIN", (Hello with { Extensions = default }).ToRecord()),
        Row("P26", "no key_share", "ALERT(2,109), FIN", Hello.Without(Extension.KeyShare).ToRecord()),
        Row("P27", "key_share without a share", "HS(2){HRR}:88 CCS:1, OPEN", Hello.With(Extension.KeyShare, Extension.Shares()).ToRecord()),
        Row(
            "P28", "a P-256 share that is no point", "ALERT(2,47), FIN",
            Hello.With(Extension.KeyShare, Extension.Shares((0x17, [4, .. ProbeRandom.Bytes(64)]))).ToRecord()),
        Row(
            "P29", "an x25519 share of zeros", "ALERT(2,47), FIN",
            Hello.With(Extension.KeyShare, Extension.Shares((0x1d, new byte[32]))).ToRecord()),
        Row(
            "P30", "an x25519 share of 31 bytes", "ALERT(2,47), FIN",
            Hello.With(Extension.KeyShare, Extension.Shares((0x1d, ProbeRandom.Bytes(31)))).ToRecord()),
        Row("P31", "an unknown group only", "ALERT(2,40), FIN",
            Hello.With(Extension.Groups, 0, 2, 0x99, 0x99)
                .With(Extension.KeyShare, Extension.Shares((0x9999, ProbeRandom.Bytes(32)))).ToRecord()),
        Row("P32", "ALPN twice", "ALERT(2,47), FIN", Hello.And(Extension.Alpn, Extension.Protocols("h2")).ToRecord()),
        Row("P33", "an extension longer than the block", "ALERT(2,50), FIN", (Hello with { Overrun = 40 }).ToRecord()),
        Row("P34", "message longer than its record", "no bytes, OPEN", (Hello with { MessageLength = 4000 }).ToRecord()),
        Row("P35", "message shorter than its record", "ALERT(2,50), FIN", (Hello with { MessageLength = 300 }).ToRecord()),
        Row("P36", "an empty record", "no bytes, OPEN", [0x16, 3, 1, 0, 0]),
        Row("P37", "a record of 65535 bytes to be", "ALERT(2,22), FIN", [0x16, 3, 1, 0xff, 0xff, .. ProbeRandom.Bytes(600)]),
        Row("P38", "a ServerHello", "ALERT(2,10), FIN", [0x16, 3, 1, 0, 4, 2, 0, 0, 0]),
        Row("P39", "an unknown message", "ALERT(2,10), FIN", [0x16, 3, 1, 0, 4, 0x63, 0, 0, 0]),
        Row("P40", "hello in two records", $"{Flight}, OPEN", Hello.ToRecords(200)),
        Row("P41", "hello byte by byte", $"{Flight}, OPEN", Send(Honest, piece: 1)),
        Row("P42", "hello, then FIN", $"{Flight}, FIN", Honest, Finish),
        Row("P43", "part of a hello, then FIN", "no bytes, FIN", Honest[..200], Finish),
        Row(
            "P44", "hello, flight, random data", $"{Flight} APP:19, FIN", Honest,
            AwaitFlight, ProbeHello.Record(0x17, 0x0303, ProbeRandom.Bytes(64))),
        Row(
            "P45", "hello, flight, a wrong Finished", $"{Flight} APP:19, FIN", Honest, AwaitFlight,
            (byte[])[.. ChangeCipherSpec, .. ProbeHello.Record(0x17, 0x0303, ProbeRandom.Bytes(53))]),
        Row("P46", "hello, flight, a Finished without encryption", $"{Flight} APP:19, FIN", Honest, AwaitFlight,
            ProbeHello.Record(0x16, 0x0303, [0x14, 0, 0, 0x20, .. ProbeRandom.Bytes(32)])),
        Row("P47", "hello, flight, close_notify", $"{Flight}, FIN", Honest, AwaitFlight, CloseNotify),
        Row("P48", "hello, flight, another hello", $"{Flight} APP:19, FIN", Honest, AwaitFlight, Hello.ToRecord()),
        Row("P49", "ChangeCipherSpec first", Http400, ChangeCipherSpec),
        Row("P50", "an alert first", Http400, CloseNotify),
        Row("P51", "application data first", Http400, ProbeHello.Record(0x17, 0x0303, ProbeRandom.Bytes(64))),
        Row("P52", "HTTP", "PLAIN:407, FIN", Text("GET / HTTP/1.1\r\nHost: cover.test\r\n\r\n")),
        Row("P53", "HTTP CONNECT", Http400, Text("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n")),
        Row("P54", "HTTP/2", Http400, Text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")),
        Row("P55", "SSH", Http400, Text("SSH-2.0-OpenSSH_9.6\r\n")),
        Row("P56", "SOCKS5", Http400, [5, 1, 0]),
        Row("P57", "64 random bytes, the first below 0x80", Http400, ProbeRandom.Bytes(0x47, 64)),
        Row("P57b", "64 random bytes, the first above 0x80", "no bytes, FIN", ProbeRandom.Bytes(0xc3, 64)),
        Row("P58", "one random byte above 0x80", "no bytes, OPEN", [0xa7]),
        Row("P58b", "one random byte below 0x80", "no bytes, OPEN", [0x47]),
        Row("P59", "1024 random bytes, the first below 0x80", Http400, ProbeRandom.Bytes(0x29, 1024)),
        Row("P59b", "1024 random bytes, the first above 0x80", "no bytes, FIN", ProbeRandom.Bytes(0xe1, 1024)),
        Row("P60", "16 KiB of random bytes, the first below 0x80", Http400, ProbeRandom.Bytes(0x6a, 16384)),
        Row("P60b", "16 KiB of random bytes, the first above 0x80", "no bytes, FIN", ProbeRandom.Bytes(0x9d, 16384)),
        Row("P61", "FIN at once", "no bytes, FIN", Finish),
        Row("P62", "a PROXY line, then a hello", Http400, (byte[])[.. Text("PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n"), .. Honest]),
        Row(
            "P63", "hello, then a hundred ChangeCipherSpec", $"{Flight} APP:19, FIN",
            (byte[])[.. Honest, .. Enumerable.Repeat(ChangeCipherSpec, 100).SelectMany(bytes => bytes)]),
        Row(
            "P64", "hello with max_fragment_length", "HS(2):122 CCS:1 APP:41 APP:CERT APP:96 APP:53, OPEN",
            Hello.With(Extension.MaxFragmentLength, 4).ToRecord()),
        Row("P65", "an unknown ALPN only", "ALERT(2,120), FIN", Hello.With(Extension.Alpn, Extension.Protocols("spdy")).ToRecord()),
        Answered("P66", "early_data without a key", Hello.With(Extension.EarlyData)),
    ];

    /// <summary>Rows that a vhost which rejects unknown names answers in another way.</summary>
    public static ImmutableDictionary<string, string> OfRejectingVhost { get; } =
        new[] { "P03", "P04", "P06", "P08", "P25" }.ToImmutableDictionary(id => id, _ => "ALERT(2,112), FIN");

    /// <summary>
    /// Probes that HAProxy 2.6 itself answers in two ways: of 2000 visitors that ask it directly,
    /// some ten are closed and the others kept open, as its reads happen to fall.
    /// </summary>
    public static ImmutableHashSet<string> EndedByChance(CoverServer cover) => cover is HaproxyCover ? ["P47"] : [];

    private static byte[] ChangeCipherSpec => [0x14, 3, 3, 0, 1, 1];

    private static byte[] CloseNotify => [0x15, 3, 3, 0, 2, 1, 0];

    private static byte[] Text(string text) => Encoding.ASCII.GetBytes(text);

    /// <summary>A client of the time before TLS 1.3.</summary>
    private static byte[] Old(ushort version, ushort recordVersion = 0x0301)
    {
        var hello = Hello.Without(Extension.Versions, Extension.KeyShare, Extension.KeyExchangeModes);
        return (hello with { LegacyVersion = version, RecordVersion = recordVersion }).ToRecord();
    }

    private static Probe Answered(string id, string input, ProbeHello hello) => Row(id, input, $"{Flight}, OPEN", hello.ToRecord());

    private static Probe Row(string id, string input, string expected, params ProbeStep[] steps) => new(id, input, expected, [.. steps]);

    private static Probe Row(string id, string input, string expected, byte[] bytes) => new(id, input, expected, [bytes]);
}
