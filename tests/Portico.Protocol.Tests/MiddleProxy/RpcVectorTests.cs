using System.Buffers.Binary;
using System.Net;
using System.Reflection;
using System.Text.Json;
using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

public class RpcVectorTests
{
    private const string File = "rpc.json";
    private const int AnySequence = 0;

    public static TheoryData<int> Packets => Vectors.Indexes(File, "packets");

    public static TheoryData<int> Addresses => Vectors.Indexes(File, "addresses");

    [Fact]
    public void Every_constructor_has_the_value_recorded()
    {
        var ours = typeof(RpcConstructors).GetFields(BindingFlags.Public | BindingFlags.Static).ToDictionary(
            field => field.Name, field => (uint)field.GetRawConstantValue()!);
        var recorded = Vectors.Load(File).GetProperty("constructors").EnumerateObject().ToList();

        // RPC_CLOSE_CONN is CloseConn here, TL_PROXY_TAG is ProxyTag. HttpQueryInfo is not recorded.
        Assert.Equal(ours.Count - 1, recorded.Count);
        Assert.All(recorded, item => Assert.Equal(
            Convert.ToUInt32(item.Value.GetString(), 16),
            ours.Single(one => NameOf(item).Equals(one.Key, StringComparison.OrdinalIgnoreCase)).Value));

        static string NameOf(JsonProperty item) =>
            item.Name.Replace("_", "", StringComparison.Ordinal)[item.Name.IndexOf('_', StringComparison.Ordinal)..];
    }

    [Theory]
    [MemberData(nameof(Packets))]
    public void Payloads_are_read_as_recorded_and_written_back_the_same(int index)
    {
        var item = Vectors.Cases(File, "packets")[index];
        var payload = item.Hex("payload");

        foreach (var (_, parts) in Segmentation.Deliveries(payload).Take(2))
            Assert.Equal(payload, Rewrite(item, parts[0].Span));
    }

    [Theory]
    [MemberData(nameof(Packets))]
    public void Payloads_arrive_in_frames_whatever_the_reads(int index)
    {
        var payload = Vectors.Cases(File, "packets")[index].Hex("payload");

        // The recording has one payload that no frame can carry.
        if (payload.Length % 4 != 0)
            Assert.Throws<ArgumentOutOfRangeException>(() => Frames.Write(AnySequence, payload));
        else
            Frames.AssertReceived(
                Frames.Pad(Frames.Write(AnySequence, payload)), () => new FullReceiver(AnySequence), [payload], MiddleProxyError.None);
    }

    [Theory]
    [MemberData(nameof(Packets))]
    public void Payloads_cut_short_are_unknown_or_have_less_for_the_client(int index)
    {
        var item = Vectors.Cases(File, "packets")[index];
        var payload = item.Hex("payload");
        foreach (var beginning in Segmentation.Truncations(payload))
        {
            var packet = RpcPacket.Read(beginning.Span);
            if (packet.Kind == RpcPacketKind.ProxyAns)
                Assert.Equal(
                    payload.AsSpan(RpcPacket.ProxyAnsHeaderLength, beginning.Length - RpcPacket.ProxyAnsHeaderLength), packet.Body);
            else if (packet.Kind == RpcPacketKind.ProxyReq)
                AssertCutRequest(item, beginning.Span);
            else if (packet.Kind != RpcPacketKind.Unknown)
                // Recorded because it is too long: cut to the right length it is what its constructor says.
                Assert.Equal(
                    ("UNKNOWN", packet.Kind == RpcPacketKind.CloseExt ? RpcPacket.CloseLength : RpcPacket.SimpleAckLength),
                    (item.Text("kind"), beginning.Length));
            else
                AssertRefusedEverywhere(beginning.Span);
        }
    }

    [Theory]
    [MemberData(nameof(Addresses))]
    public void Addresses_and_ports_are_written_and_read_as_recorded(int index)
    {
        var item = Vectors.Cases(File, "addresses")[index];
        var address = IPAddress.Parse(item.Text("ip"));
        byte[] own = new byte[RpcAddress.Length], wire = new byte[RpcAddress.EndpointLength];
        own.AsSpan().Fill(0xa5);

        RpcAddress.Write(address, own);
        RpcAddress.WriteEndpoint(wire, own, item.GetProperty("port").GetUInt16());

        Assert.Equal(item.Hex("encoded"), wire);
        Assert.True(RpcAddress.TryReadEndpoint(Segmentation.Embed(wire).Span, out var read, out var port));
        Assert.Equal(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, RpcAddress.Read(read));
        Assert.Equal(item.GetProperty("port").GetInt32(), port);
    }

    private static void AssertCutRequest(JsonElement item, ReadOnlySpan<byte> beginning)
    {
        var whole = item.Hex("payload").Length;
        var header = whole - item.Hex("data").Length;
        Assert.Equal(beginning.Length >= header, RpcProxyReq.TryRead(beginning, out _, out var packetOffset));
        if (beginning.Length >= header)
            Assert.Equal(header, packetOffset);
    }

    private static void AssertRefusedEverywhere(ReadOnlySpan<byte> beginning)
    {
        Assert.Equal(RpcPacketKind.Unknown, RpcPacket.Read(beginning).Kind);
        Assert.False(RpcProxyReq.TryRead(beginning, out _, out _));
        Assert.False(RpcNonce.TryRead(beginning, 0, out _, out var nonceError));
        Assert.False(RpcHandshake.TryRead(beginning, out _, out var handshakeError));
        Assert.False(RpcHandshakeError.TryRead(beginning, out _));
        Assert.Equal((MiddleProxyError.UnexpectedMessage, MiddleProxyError.UnexpectedMessage), (nonceError, handshakeError));
    }

    /// <summary>Reads a payload, compares every field with the recording, and writes it anew from what was read.</summary>
    private static byte[] Rewrite(JsonElement item, ReadOnlySpan<byte> payload)
    {
        var wire = new byte[payload.Length];
        var packet = RpcPacket.Read(payload);
        switch (item.Text("kind"))
        {
            case "RPC_NONCE":
                var selector = BinaryPrimitives.ReadUInt32LittleEndian(item.Hex("key_selector"));
                Assert.True(RpcNonce.TryRead(payload, selector, out var nonce, out _));
                Assert.Equal(item.GetProperty("timestamp").GetUInt32(), nonce.Timestamp);
                Assert.Equal(item.Hex("nonce"), nonce.Nonce);
                Assert.Equal(1, item.GetProperty("schema").GetInt32());
                RpcNonce.Write(wire, selector, nonce.Timestamp, nonce.Nonce);
                break;
            case "RPC_HANDSHAKE":
                Assert.True(RpcHandshake.TryRead(payload, out var handshake, out _));
                Assert.Equal(item.Hex("sender_pid"), handshake.SenderPid);
                Assert.Equal(item.Hex("peer_pid"), handshake.PeerPid);
                Assert.True(RpcHandshake.TryReadAnswer(payload, item.Hex("peer_pid"), out _));
                RpcHandshake.Write(wire, handshake.SenderPid, handshake.PeerPid);
                break;
            case "RPC_HANDSHAKE_ERROR":
                Assert.True(RpcHandshakeError.TryRead(payload, out var refusal));
                Assert.Equal(item.GetProperty("error_code").GetInt32(), refusal.Code);
                Assert.Equal(item.Hex("sender_pid"), refusal.SenderPid);
                Assert.False(RpcHandshake.TryReadAnswer(payload, RpcHandshake.AnonymousPid, out var error));
                Assert.Equal(MiddleProxyError.HandshakeRefused, error);
                RpcHandshakeError.Write(wire, refusal.Code, refusal.SenderPid);
                break;
            case "RPC_PING":
                Assert.Equal((RpcPacketKind.Ping, Convert.ToInt64(item.Text("ping_id_hex"), 16)), (packet.Kind, packet.PingId));
                Assert.Equal(wire.Length, RpcPacket.WritePing(wire, packet.PingId));
                break;
            case "RPC_PONG":
                Assert.Equal((RpcPacketKind.Pong, Convert.ToInt64(item.Text("ping_id_hex"), 16)), (packet.Kind, packet.PingId));
                Assert.Equal(wire.Length, RpcPacket.WritePong(wire, packet.PingId));
                break;
            case "RPC_PROXY_REQ":
                Assert.Equal((RpcPacketKind.ProxyReq, ConnectionId(item), Flags(item)), (packet.Kind, packet.ConnectionId, packet.Flags));
                RewriteRequest(item, payload, wire);
                break;
            case "RPC_PROXY_ANS":
                Assert.Equal((RpcPacketKind.ProxyAns, ConnectionId(item), Flags(item)), (packet.Kind, packet.ConnectionId, packet.Flags));
                Assert.Equal(item.Hex("data"), packet.Body);
                packet.Body.CopyTo(wire.AsSpan(RpcPacket.WriteProxyAnsHeader(wire, packet.Flags, packet.ConnectionId)));
                break;
            case "RPC_CLOSE_EXT":
                Assert.Equal((RpcPacketKind.CloseExt, ConnectionId(item)), (packet.Kind, packet.ConnectionId));
                Assert.Equal(wire.Length, RpcPacket.WriteCloseExt(wire, packet.ConnectionId));
                break;
            case "RPC_CLOSE_CONN":
                Assert.Equal((RpcPacketKind.CloseConn, ConnectionId(item)), (packet.Kind, packet.ConnectionId));
                Assert.Equal(wire.Length, RpcPacket.WriteCloseConn(wire, packet.ConnectionId));
                break;
            case "RPC_SIMPLE_ACK":
                Assert.Equal((RpcPacketKind.SimpleAck, ConnectionId(item)), (packet.Kind, packet.ConnectionId));
                Assert.Equal(item.Hex("confirm"), packet.Body);
                Assert.Equal(wire.Length, RpcPacket.WriteSimpleAck(wire, packet.ConnectionId, packet.Body));
                break;
            case "UNKNOWN":
                // A pong that nobody asked for is known to us, and as harmless.
                Assert.Equal(item.Text("name") == "RPC_PONG" ? RpcPacketKind.Pong : RpcPacketKind.Unknown, packet.Kind);
                Assert.Equal(payload.Length < 4 ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(payload), packet.Constructor);
                payload.CopyTo(wire);
                break;
            default:
                Assert.Fail(item.Text("kind"));
                break;
        }
        return wire;
    }

    private static void RewriteRequest(JsonElement item, ReadOnlySpan<byte> payload, Span<byte> wire)
    {
        Assert.True(RpcProxyReq.TryRead(payload, out var header, out var packetOffset));
        var packet = payload[packetOffset..];
        Assert.Equal(item.Hex("data"), packet);
        Assert.Equal((Flags(item), ConnectionId(item)), (header.Flags, header.ConnectionId));
        Assert.Equal(
            new IPEndPoint(IPAddress.Parse(item.Text("client_ip")), item.GetProperty("client_port").GetInt32()),
            new IPEndPoint(RpcAddress.Read(header.ClientAddress), header.ClientPort));
        Assert.Equal(
            new IPEndPoint(IPAddress.Parse(item.Text("our_ip")), item.GetProperty("our_port").GetInt32()),
            new IPEndPoint(RpcAddress.Read(header.ProxyAddress), header.ProxyPort));
        Assert.Equal(item.GetProperty("ad_tag").ValueKind == JsonValueKind.Null ? [] : item.Hex("ad_tag"), header.AdTag);

        var transport = item.ReadTransport("transport");
        Assert.Equal(Flags(item), RpcProxyReqFlags.For(
            transport, !header.AdTag.IsEmpty, RpcProxyReqFlags.IsEncrypted(packet), item.GetProperty("quickack").GetBoolean()));
        Assert.True(RpcProxyReqFlags.TryGetTransport(header.Flags, out var read));
        Assert.Equal(transport, read);

        Assert.Equal(packetOffset, RpcProxyReq.HeaderLengthFor(!header.AdTag.IsEmpty));
        wire.Fill(0xa5);
        Assert.Equal(packetOffset, RpcProxyReq.WriteHeader(wire, header));
        packet.CopyTo(wire[packetOffset..]);
    }

    private static long ConnectionId(JsonElement item) =>
        long.Parse(item.Text("connection_id"), System.Globalization.CultureInfo.InvariantCulture);

    private static uint Flags(JsonElement item) => Convert.ToUInt32(item.Text("flags"), 16);
}
