using System.Collections.Immutable;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>
/// Frames and records that are cut off, too long, empty or of odd length.
/// In direct mode the proxy does not read packets: what a client frames badly is the data
/// centre's to judge, which gets it as it was sent. TLS records are the proxy's own.
/// </summary>
[Collection(nameof(Siege))]
public sealed class BrokenFramesTests
{
    private static readonly ImmutableArray<(string Name, byte[] Plain)> Frames =
    [
        ("empty packet, one byte of length", [0]),
        ("empty packet, four bytes of length", [0, 0, 0, 0]),
        ("empty packet that wants a quick ack", [0, 0, 0, 0x80]),
        ("length of 2 GB", [0xff, 0xff, 0xff, 0x7f, 1, 2, 3]),
        ("length of 2 GB that wants a quick ack", [0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
        ("long form of a short length", [0x7f, 1, 0, 0, 1, 2, 3, 4]),
        ("longest length of the abridged transport", [0x7f, 0xff, 0xff, 0xff, 9]),
        ("length that is no multiple of four", [5, 0, 0, 0, 1, 2, 3, 4, 5]),
        ("cut off in the length", [0x7f, 1]),
        ("cut off in the body", [0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
        ("many empty packets", new byte[70_000]),
    ];

    private static readonly ImmutableArray<RecordCase> Records =
    [
        new("empty record", ["empty", "data"], IsAccepted: true),
        new("ten thousand empty records", [.. Enumerable.Repeat("empty", 10_000), "data"], IsAccepted: true),
        new("record of 65535 bytes", ["longest"], IsAccepted: true),
        new("cut off in the record header", ["data", "17 03 03"], IsAccepted: true),
        new("cut off before the payload", ["data", "17 03 03 40 00"], IsAccepted: true),
        new("cut off in the payload", ["data", "part"], IsAccepted: true),
        new("ChangeCipherSpec of 65535 bytes", ["longest ccs", "data"], IsAccepted: true),
        new("empty ChangeCipherSpec", ["14 03 03 00 00", "data"], IsAccepted: true),
        new("handshake record", ["data", "16 03 03 00 04 01 02 03 04", "data"], IsAccepted: false),
        new("heartbeat record", ["data", "18 03 03 00 03 01 40 00", "data"], IsAccepted: false),
        new("record of type 0", ["data", "00 03 03 00 01 00", "data"], IsAccepted: false),
        new("record of version 3.4", ["data", "17 03 04 00 01 00", "data"], IsAccepted: false),
        new("record of version 2.3", ["data", "17 02 03 00 01 00", "data"], IsAccepted: false),
        new("plain HTTP", ["data", "47 45 54 20 2f 20 48 54 54 50", "data"], IsAccepted: false),
    ];

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Telegram_gets_badly_framed_packets_as_they_were_sent_and_a_client_cut_off_has_closed(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine);
        var proxy = besieged.Proxy;
        proxy.Telegram.Behaviour = new DcBehaviour { IsTape = true };
        await SkipAsync(proxy.Telegram);
        var before = proxy.Metrics.Value("portico_connections_closed_total", ("reason", "client_closed"));
        ClientProfile[] profiles =
        [
            new() { Mode = ClientMode.Plain, Transport = Transport.Abridged },
            new() { Mode = ClientMode.Plain, Transport = Transport.Intermediate },
            new() { Mode = ClientMode.Secure },
            new(),
        ];
        foreach (var profile in profiles)
        {
            foreach (var (name, plain) in Frames)
            {
                await using var client = await proxy.GreetAsync(profile);
                var stream = client.Encipher(plain);
                await client.Wire.SendAsync(profile.Mode == ClientMode.FakeTls ? [.. stream.Chunk(16384).SelectMany(Record)] : stream);
                client.Wire.FinishSending();
                var dc = await proxy.Telegram.NextConnectionAsync();
                Assert.Equal((name, PeerEnd.Fin), (name, await dc.Ended));
                Assert.Equal(profile.Transport, dc.Transport);
                Assert.Equal(plain, dc.Tape);
                Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            }
        }
        await proxy.UntilClosedAsync("client_closed", "client", (int)before + profiles.Length * Frames.Length);
        await besieged.AssertUnharmedAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Odd_records_of_a_relayed_client_give_their_payload_and_bad_ones_end_it_with_one_alert(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine);
        var proxy = besieged.Proxy;
        proxy.Telegram.Behaviour = new DcBehaviour { IsTape = true };
        await SkipAsync(proxy.Telegram);
        var before = proxy.Metrics.Value("portico_connections_closed_total", ("reason", "client_closed"));
        foreach (var item in Records)
        {
            await using var client = await proxy.GreetAsync();
            var sent = new List<byte>();
            await client.Wire.SendAsync(Record(client.Encipher([])));
            var dc = await proxy.Telegram.NextConnectionAsync();
            await dc.Greeted;
            await client.Wire.SendAsync(item.Build(client, sent));
            client.Wire.FinishSending();
            var received = await client.Wire.ReadToEndAsync();
            Assert.True(
                item.IsAccepted ? received == Received.Nothing(PeerEnd.Fin) : received.IsEncryptedAlertAndFin,
                $"{item.Name}: {received}");
            // A DC that has acknowledged everything is left with RST, which keeps no port of ours busy.
            Assert.True(await dc.Ended is PeerEnd.Fin or PeerEnd.Reset, item.Name);
            Assert.Equal(sent, dc.Tape);
        }
        await proxy.UntilClosedAsync("tls_bad_record", "client", Records.Count(item => !item.IsAccepted));
        await proxy.UntilClosedAsync("client_closed", "client", (int)before + Records.Count(item => item.IsAccepted));
        await besieged.AssertUnharmedAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Odd_records_before_the_header_are_stepped_over_and_bad_ones_never_reach_Telegram(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine);
        var proxy = besieged.Proxy;
        proxy.Telegram.Behaviour = new DcBehaviour { IsTape = true };
        var connections = proxy.Telegram.Connections.Count;
        string[] before =
            ["", "17 03 03 00 00", "14 03 03 00 01 01", "14 03 03 00 03 01 02 03", "17 03 03 00 00 14 03 03 00 00 17 03 03 00 00"];
        string[] bad = ["16 03 03 00 04 01 02 03 04", "17 03 04 00 40", "00", "18 03 03 00 00", "ff ff ff ff ff"];
        foreach (var odd in before)
        {
            await using var client = await proxy.GreetAsync();
            var header = client.Encipher([1, 2, 3, 4]);
            await client.Wire.SendAsync((byte[])[.. Hex(odd), .. Record(header[..30]), .. Hex(odd), .. Record(header[30..])]);
            client.Wire.FinishSending();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
            Assert.Equal([1, 2, 3, 4], proxy.Telegram.Connections[^1].Tape);
        }
        foreach (var record in bad)
        {
            await using var client = await proxy.GreetAsync();
            var header = client.Encipher([1, 2, 3, 4]);
            await client.Wire.SendAsync((byte[])[.. Record(header[..30]), .. Hex(record), .. Record(header[30..])]);
            client.Wire.FinishSending();
            var received = await client.Wire.ReadToEndAsync();
            Assert.True(received.IsEncryptedAlertAndFin, $"{record}: {received}");
        }
        await proxy.UntilClosedAsync("tls_bad_record", "client", bad.Length);
        Assert.Equal(connections + before.Length, proxy.Telegram.Connections.Count);
        await besieged.AssertUnharmedAsync();
    }

    // Connections that came before the hostile ones.
    private static async Task SkipAsync(FakeTelegram telegram)
    {
        for (var count = telegram.Connections.Count; count > 0; count--)
            await telegram.NextConnectionAsync();
    }

    private static byte[] Record(byte[] payload) => [0x17, 3, 3, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload];

    private static byte[] Hex(string text) => Convert.FromHexString(text.Replace(" ", "", StringComparison.Ordinal));

    /// <summary>Parts that a client sends one behind the other in its record stream.</summary>
    private sealed record RecordCase(string Name, string[] Parts, bool IsAccepted)
    {
        /// <summary>The bytes; what of them Telegram shall get goes into <paramref name="plain"/>.</summary>
        public byte[] Build(FakeClient client, List<byte> plain)
        {
            var bytes = new List<byte>();
            var isOver = false;
            foreach (var part in Parts)
            {
                byte[] payload = part switch
                {
                    "data" => [.. Enumerable.Range(0, 100).Select(i => (byte)i)],
                    "longest" => new byte[65535],
                    "part" => [7, 7, 7],
                    _ => [],
                };
                bytes.AddRange(part switch
                {
                    "data" or "longest" => Record(client.Encipher(payload)),
                    "part" => [.. Hex("17 03 03 00 10"), .. client.Encipher(payload)],
                    "empty" => Hex("17 03 03 00 00"),
                    "longest ccs" => [.. Hex("14 03 03 ff ff"), .. new byte[65535]],
                    _ => Hex(part),
                });
                isOver |= !IsAccepted && payload.Length == 0;
                if (!isOver)
                    plain.AddRange(payload);
            }
            return [.. bytes];
        }
    }
}
