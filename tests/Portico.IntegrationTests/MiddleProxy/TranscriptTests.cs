using System.Text.Json;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Framing;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;
using Portico.TestKit;
using Portico.TestKit.Clients;
using Portico.TestKit.Framing;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.MiddleProxy;

/// <summary>
/// Clients of another proxy, recorded byte for byte, call this one: the middle proxy is asked what it was
/// asked then, and each client reads what it read then. Nonces, ports and padding are each proxy's own;
/// the frames below are compared byte for byte in the tests of the formats.
/// </summary>
public sealed class TranscriptTests
{
    private static readonly JsonElement Root = Load();

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Recorded_sessions_run_through_this_proxy_as_they_did_through_the_other(EngineKind engine)
    {
        var recorded = Root.GetProperty("proxy");
        var secret = ProxySecret.Create(Hex(recorded, "secret"));
        var adTag = AdTag.Create(Hex(recorded, "ad_tag"));
        await using var network = FakeTelegramNetwork.Start(
            [1], middleBehaviour: new MiddleBehaviour { Answering = new Gate(isOpen: false) });
        await using var test = ProxyUnderTest.StartMiddle(engine, network, settings => settings with
        {
            Loops = 1,
            TimeWindow = new TimeWindowSettings { Enabled = false },
            Listeners = [settings.Listeners[0] with { Credentials = [new Credential("recorded", secret, adTag)] }],
        });
        await test.UntilLinksAsync(1);
        var link = Assert.Single(network.MiddleProxy(1).OpenConnections);
        var requests = new Queue<(uint Flags, byte[] Packet)>(Payloads("proxy->srv", RpcPacketKind.ProxyReq).Select(ReadRequest));
        var answers = new Queue<byte[]>(Payloads("srv->proxy", RpcPacketKind.ProxyAns));

        foreach (var session in Root.GetProperty("client_sessions").EnumerateArray())
        {
            await using var wire = await Wire.ConnectAsync(test.Endpoint);
            var reader = new Reader(session, wire);
            foreach (var sent in session.GetProperty("wire")
                .EnumerateArray().Where(item => item.GetProperty("dir").GetString() == "client->proxy"))
            {
                var before = link.Requests.Count;
                await wire.SendAsync(Hex(sent, "raw"));
                if (await reader.TakesFlightAsync(secret))
                    continue;
                await network.UntilAsync(_ => link.Requests.Count == before + 1);
                var (request, expected) = (link.Requests[^1], requests.Dequeue());
                Assert.Equal(
                    (expected.Flags, adTag, wire.Local, link.Proxy), (request.Flags, request.AdTag!, request.Client, request.Proxy));
                Assert.Equal(expected.Packet, request.Packet);

                var answer = RpcPacket.Read(answers.Peek()).Body.ToArray();
                await link.SendAsync(MiddlePayload.ProxyAns(request.ConnectionId, answer, RpcPacket.Read(answers.Dequeue()).Flags));
                Assert.Equal(answer, await reader.ReceiveAsync());
            }
            var ended = link.CloseConns.Count;
            await wire.DisposeAsync();
            await network.UntilAsync(_ => link.CloseConns.Count == ended + 1);
            Assert.Equal(link.Requests[^1].ConnectionId, link.CloseConns[^1]);
        }
        await link.PingAsync();
        Assert.Empty(requests);
        Assert.Empty(answers);
        Assert.Equal(Payloads("proxy->srv", RpcPacketKind.CloseConn).Count(), link.CloseConns.Count);
    }

    private static (uint Flags, byte[] Packet) ReadRequest(byte[] payload)
    {
        Assert.True(RpcProxyReq.TryRead(payload, out var header, out var offset));
        return (header.Flags, payload[offset..]);
    }

    /// <summary>Payloads of one kind that went in one direction, in their order.</summary>
    private static IEnumerable<byte[]> Payloads(string direction, RpcPacketKind kind) =>
        Root.GetProperty("dc_connection").GetProperty("wire").EnumerateArray()
            .Where(item => item.GetProperty("dir").GetString() == direction && item.TryGetProperty("plain", out _))
            .Select(item => ReadPayload(Hex(item, "plain")))
            .Where(payload => RpcPacket.Read(payload).Kind == kind);

    // Every frame is recorded with its padding behind it: its own length says where that begins.
    private static byte[] ReadPayload(byte[] frame) =>
        frame[FullFrame.HeaderLength..(BitConverter.ToInt32(frame) - FullFrame.TrailerLength)];

    private static byte[] Hex(JsonElement item, string name) => Convert.FromHexString(item.GetProperty(name).GetString()!);

    private static JsonElement Load()
    {
        var path = Path.Combine(RepositoryRoot.Path, "tests", "Portico.Protocol.Tests", "Vectors", "session_transcript.json");
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }

    /// <summary>What a recorded client sees, read with the keys of the recording.</summary>
    private sealed class Reader(JsonElement session, Wire wire)
    {
        private readonly ServerRecords _records = new();
        private readonly ByteSink _raw = new();
        private readonly ByteSink _plain = new();
        private readonly byte[] _hello = session.TryGetProperty("client_hello", out var hello) && hello.ValueKind == JsonValueKind.String
            ? Convert.FromHexString(hello.GetString()!)
            : [];
        private readonly Transport _transport = session.GetProperty("transport").GetString() switch
        {
            "abridged" => Transport.Abridged,
            "intermediate" => Transport.Intermediate,
            _ => Transport.Padded,
        };
        private AesCtr _toClient = new(Hex(session, "s2c_key"), Hex(session, "s2c_iv"));
        private bool _hasFlight;

        /// <summary>False if none is due.</summary>
        internal async Task<bool> TakesFlightAsync(ProxySecret secret)
        {
            if (_hello.Length == 0 || _hasFlight)
                return false;
            using var key = new HmacKey(secret);
            var length = 0;
            while (ServerFlightVerifier.Verify(_raw.Content, _hello.AsSpan(11, 32), key, out length, out _) != FrameStatus.Ok)
                await FillAsync(_raw);
            Assert.Equal(length, _raw.Length);
            _raw.Clear();
            return _hasFlight = true;
        }

        /// <summary>The next packet, without padding.</summary>
        internal async Task<byte[]> ReceiveAsync()
        {
            Frame frame;
            while (FrameCodec.TryReadFromServer(_transport, _plain.Content, out frame, out _) != FrameStatus.Ok)
            {
                var fresh = _hasFlight ? await FillRecordsAsync() : await FillAsync(_plain);
                _toClient.Transform(_plain.Content[^fresh..]);
            }
            var packet = _plain.Content.Slice(frame.PayloadOffset, frame.PayloadLength).ToArray();
            _plain.Consume(frame.Consumed);
            return packet;
        }

        private async Task<int> FillRecordsAsync()
        {
            await FillAsync(_raw);
            return _records.Unwrap(_raw, _plain);
        }

        private async Task<int> FillAsync(ByteSink sink)
        {
            var (count, end) = await wire.ReadSomeAsync(sink.Space(4096));
            Assert.Equal(PeerEnd.None, end);
            sink.Commit(count);
            return count;
        }
    }
}
