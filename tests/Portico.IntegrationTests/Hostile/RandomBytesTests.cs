using System.Collections.Immutable;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>Bytes without any sense, seeded so that a failing test fails again.</summary>
[Collection(nameof(Siege))]
public sealed class RandomBytesTests
{
    private const int AtATime = 8;

    private static readonly Received DecodeErrorAlert = new([0x15, 3, 3, 0, 2, 2, 0x32], PeerEnd.Fin);

    // Around every length that something waits for: words, record headers, 64-byte headers, old hellos, buffers, the longest hello.
    private static readonly ImmutableArray<int> Lengths =
        [0, 1, 2, 3, 4, 5, 8, 11, 15, 16, 43, 63, 64, 65, 100, 300, 511, 517, 1500, 4096, 4097, 16384, 16424, 16425, 40_000];

    private static readonly ImmutableArray<ImmutableArray<byte>> Beginnings =
    [
        [],
        [0x16, 3, 1],
        [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],  // a hello up to its random bytes
        [0x17, 3, 3, 0, 64],
        [0x16, 3, 1, 0, 1],
        [.. "GET /"u8],
        [0xee, 0xee, 0xee, 0xee],
    ];

    private static readonly ImmutableArray<ClientProtocols> Listeners =
    [
        ClientProtocols.FakeTls, ClientProtocols.Secure, ClientProtocols.Classic,
        ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
    ];

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Random_bytes_on_any_listener_end_as_the_judge_says_and_reach_nobody(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine, WithAListenerPerProtocol);
        var proxy = besieged.Proxy;
        var connections = proxy.Telegram.Connections.Count;
        var expected = new Dictionary<(string Listener, CloseReason Reason), int>();
        for (var seed = 0; seed < (Siege.IsSlow ? 20 : 1); seed++)
        {
            for (var i = 1; i < proxy.Proxy.Settings.Listeners.Length; i++)
            {
                var (listener, endpoint) = (proxy.Proxy.Settings.Listeners[i], proxy.Proxy.Endpoints[i]);
                var judge = new JudgeMaker(listener, new TimeWindow(Enabled: true, 600, 120, AcceptUnsetClock: false)).Create();
                foreach (var batch in Cases(seed).Chunk(AtATime))
                {
                    await Task.WhenAll(batch.Select(async bytes =>
                    {
                        var reason = Reason(judge, bytes);
                        lock (expected)
                            expected[(listener.Name, reason)] = expected.GetValueOrDefault((listener.Name, reason)) + 1;
                        var sees = reason is CloseReason.TlsBadClientHello or CloseReason.TlsNoSni
                            ? DecodeErrorAlert
                            : Received.Nothing(PeerEnd.Fin);
                        Assert.Equal(sees, await StrangerClient.CallAsync(endpoint, bytes, finish: true));
                    }));
                }
            }
        }
        foreach (var ((listener, reason), count) in expected)
            await proxy.Metrics.UntilAsync("portico_connections_closed_total", count, ("listener", listener), ("reason", reason.Tag()));
        Assert.Equal(connections, proxy.Telegram.Connections.Count);
        Assert.True(expected.Select(item => item.Key.Reason).Distinct().Count() >= 5, "the bytes are too much alike to say anything");
        await besieged.AssertUnharmedAsync();
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Random_bytes_behind_the_flight_get_one_alert_and_no_reset_and_reach_nobody(EngineKind engine)
    {
        await using var besieged = await Besieged.StartAsync(engine);
        var proxy = besieged.Proxy;
        var connections = proxy.Telegram.Connections.Count;
        var cases = Lengths.Where(length => length > 0).Select(Sequence).ToArray();
        foreach (var bytes in cases)
        {
            bytes[0] |= 0x80;  // no type of record
            await using var client = await proxy.GreetAsync();
            await client.Wire.SendAsync(bytes);
            client.Wire.FinishSending();
            var received = await client.Wire.ReadToEndAsync();
            Assert.True(received.IsEncryptedAlertAndFin, received.ToString());
        }
        await proxy.UntilClosedAsync("tls_bad_record", "client", cases.Length);
        Assert.Equal(connections, proxy.Telegram.Connections.Count);
        await besieged.AssertUnharmedAsync();
    }

    private static IEnumerable<byte[]> Cases(int seed) =>
        from beginning in Beginnings
        from length in Lengths
        select (byte[])[.. beginning, .. Sequence(length + (seed << 20))[..length]];

    private static byte[] Sequence(int seed)
    {
        var bytes = new byte[seed & 0xfffff];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    // A peer that finishes sending while nobody can tell yet has simply left.
    private static CloseReason Reason(Judge judge, byte[] bytes)
    {
        var raw = bytes.AsSpan(0, Math.Min(bytes.Length, Judge.MaxRawLength));
        var progress = default(TrialProgress);
        var verdict = judge.Decide(
            raw, new byte[Judge.ScratchLength], TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(), ref progress, out var judgement);
        Assert.NotEqual(Verdict.Ours, verdict);
        return verdict == Verdict.Undecided ? CloseReason.ClientClosed : judgement.Reason;
    }

    // The first one stays for clients that behave.
    private static ProxySettings WithAListenerPerProtocol(ProxySettings settings) => settings with
    {
        Listeners = [settings.Listeners[0], .. Listeners.Select(protocols =>
            settings.Listeners[0] with { Name = $"{protocols}".Replace(", ", "-", StringComparison.Ordinal), Protocols = protocols })],
    };
}
