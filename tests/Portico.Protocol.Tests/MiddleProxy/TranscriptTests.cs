using System.Buffers.Binary;
using System.Net;
using System.Text.Json;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

/// <summary>A link of another proxy, recorded whole: what it sent we would have sent, what it received we read.</summary>
public class TranscriptTests
{
    private const string ToServer = "proxy->srv";
    private const string ToProxy = "srv->proxy";

    private static readonly JsonElement Root = Vectors.Load("session_transcript.json");
    private static readonly JsonElement Link = Root.GetProperty("dc_connection");
    private static readonly IReadOnlyList<JsonElement> ClientSessions = [.. Root.GetProperty("client_sessions").EnumerateArray()];

    [Theory]
    [InlineData(ToServer, 13)]
    [InlineData(ToProxy, 9)]
    public void Every_frame_is_received_and_would_be_sent_with_the_same_bytes(string direction, int count)
    {
        var cipher = Cipher(direction);
        var wire = Wire(direction);
        var sequence = FullFrame.FirstSequence;
        foreach (var (raw, payload) in wire.Zip(Payloads(direction)))
        {
            var sent = Frames.Pad(Frames.Write(sequence, payload));
            if (sequence != FullFrame.FirstSequence)
                cipher.Encrypt(sent);
            Assert.Equal(raw, sent);
            sequence++;
        }

        Assert.Equal(count, wire.Count);
        Frames.AssertReceived(
            [.. wire.Skip(1).SelectMany(raw => raw)], () => new FullReceiver(FullFrame.FirstSequence + 1, Cipher(direction)),
            [.. Payloads(direction).Skip(1)], MiddleProxyError.None);
    }

    [Theory]
    [InlineData(ToServer, "client_nonce", "proxy_to_server")]
    [InlineData(ToProxy, "server_nonce", "server_to_proxy")]
    public void Nonces_and_keys_are_those_recorded(string direction, string nonce, string keys)
    {
        Assert.True(RpcNonce.TryRead(Payloads(direction)[0], Secret.KeySelector, out var message, out _));
        Assert.Equal(Link.Hex(nonce), message.Nonce);
        Assert.Equal(Link.GetProperty("client_timestamp").GetUInt32(), message.Timestamp);
        MiddleProxyKeysTests.AssertCipher(Link.Hex(keys + "_key"), Link.Hex(keys + "_iv"), Cipher(direction));
    }

    [Theory]
    [InlineData(ToServer)]
    [InlineData(ToProxy)]
    public void Handshakes_are_accepted_and_would_be_written_the_same(string direction)
    {
        var payload = Payloads(direction)[1];
        var wire = new byte[RpcHandshake.Length];
        RpcHandshake.Write(wire, RpcHandshake.AnonymousPid, RpcHandshake.AnonymousPid);

        Assert.True(RpcHandshake.TryReadAnswer(payload, RpcHandshake.AnonymousPid, out _));
        Assert.Equal(payload, wire);
    }

    [Fact]
    public void Requests_carry_what_the_clients_sent_and_would_be_written_the_same()
    {
        var requests = Payloads(ToServer).Where(payload => RpcPacket.Read(payload).Kind == RpcPacketKind.ProxyReq).ToList();
        var sent = ClientSessions.SelectMany(session => session.GetProperty("payloads_sent").EnumerateArray().Select(
            payload => (session, Packet: Vectors.Hex(payload.GetString()!)))).ToList();

        Assert.Equal(sent.Count, requests.Count);
        foreach (var (payload, (session, packet)) in requests.Zip(sent))
        {
            Assert.True(RpcProxyReq.TryRead(payload, out var header, out var packetOffset));
            Assert.Equal(packet, payload[packetOffset..]);
            Assert.Equal(
                IPEndPoint.Parse(session.Text("client_addr")),
                new IPEndPoint(RpcAddress.Read(header.ClientAddress), header.ClientPort));
            Assert.Equal(IPEndPoint.Parse(Link.Text("proxy_addr")), new IPEndPoint(RpcAddress.Read(header.ProxyAddress), header.ProxyPort));
            Assert.Equal(Root.GetProperty("proxy").Hex("ad_tag"), header.AdTag);
            Assert.Equal(
                RpcProxyReqFlags.For(
                    session.ReadTransport("transport"), hasAdTag: true, RpcProxyReqFlags.IsEncrypted(packet), quickAck: false),
                header.Flags);

            var wire = new byte[payload.Length];
            packet.CopyTo(wire.AsSpan(RpcProxyReq.WriteHeader(wire, header)));
            Assert.Equal(payload, wire);
        }
    }

    [Fact]
    public void Everything_after_the_handshake_is_known_and_would_be_written_the_same()
    {
        var kinds = new List<RpcPacketKind>();
        foreach (var payload in Payloads(ToServer).Concat(Payloads(ToProxy))
            .Where(payload => RpcPacket.Read(payload).Kind is not RpcPacketKind.ProxyReq).Where(IsAfterHandshake))
        {
            var packet = RpcPacket.Read(payload);
            var wire = new byte[payload.Length];
            var written = packet.Kind switch
            {
                RpcPacketKind.ProxyAns => RpcPacket.WriteProxyAnsHeader(wire, packet.Flags, packet.ConnectionId),
                RpcPacketKind.CloseConn => RpcPacket.WriteCloseConn(wire, packet.ConnectionId),
                RpcPacketKind.Ping => RpcPacket.WritePing(wire, packet.PingId),
                RpcPacketKind.Pong => RpcPacket.WritePong(wire, packet.PingId),
                _ => 0,
            };
            packet.Body.CopyTo(wire.AsSpan(written));

            Assert.Equal(payload, wire);
            kinds.Add(packet.Kind);
        }

        Assert.Equal(
            [(RpcPacketKind.ProxyAns, 6), (RpcPacketKind.CloseConn, 4), (RpcPacketKind.Ping, 1), (RpcPacketKind.Pong, 1)],
            kinds.CountBy(kind => kind).Select(entry => (entry.Key, entry.Value)).OrderBy(entry => entry.Key));
    }

    private static MiddleProxySecret Secret =>
        MiddleProxySecret.TryCreate(Root.Hex("proxy_secret"), out var secret) ? secret : throw new InvalidDataException();

    private static bool IsAfterHandshake(byte[] payload) =>
        BinaryPrimitives.ReadUInt32LittleEndian(payload) is not (RpcConstructors.Nonce or RpcConstructors.Handshake);

    private static List<byte[]> Wire(string direction) =>
        [.. Link.GetProperty("wire").EnumerateArray().Where(item => item.Text("dir") == direction).Select(item => item.Hex("raw"))];

    /// <summary>
    /// The payloads of one direction. The recording gives those to the proxy,
    /// and of all but the first frame what was encrypted.
    /// </summary>
    private static List<byte[]> Payloads(string direction)
    {
        var payloads = new List<byte[]>();
        foreach (var item in Link.GetProperty("wire").EnumerateArray().Where(item => item.Text("dir") == direction))
        {
            var plain = item.Hex(item.TryGetProperty("plain", out _) ? "plain" : "raw");
            Assert.Equal(FrameStatus.Ok, Frames.Parser(FullFrame.FirstSequence + payloads.Count)(plain, out var read));
            payloads.Add(plain.AsSpan(read.Frame.PayloadOffset, read.Frame.PayloadLength).ToArray());
            if (item.TryGetProperty("payload", out _))
                Assert.Equal(item.Hex("payload"), payloads[^1]);
        }
        return payloads;
    }

    private static MiddleProxyCipher Cipher(string direction)
    {
        MiddleProxyKeys.Derive(
            Link.Hex("server_nonce"),
            Link.Hex("client_nonce"),
            Link.GetProperty("client_timestamp").GetUInt32(),
            IPEndPoint.Parse(Link.Text("server_addr")),
            IPEndPoint.Parse(Link.Text("proxy_addr")),
            Secret,
            out var toServer,
            out var toProxy);
        return direction == ToServer ? toServer : toProxy;
    }
}
