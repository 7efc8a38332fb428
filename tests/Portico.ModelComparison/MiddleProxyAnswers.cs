using System.Net;
using System.Text;
using System.Text.Json;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;

namespace Portico.ModelComparison;

internal static class MiddleProxyAnswers
{
    private const int Sample = 48;

    public static Dictionary<string, Func<JsonElement, string>> All { get; } = new()
    {
        ["middle-proxy-keys"] = Keys,
        ["full-frame-write"] = question =>
        {
            var payload = question.Hex("payload");
            var frame = new byte[payload.Length + FullFrame.HeaderLength + FullFrame.TrailerLength];
            var length = FullFrame.Write(frame, (int)question.Number("sequence"), payload);
            var padding = new byte[FullFrame.PaddingLength(length)];
            FullFrame.WritePadding(padding);
            return Question.Hex([.. frame, .. padding]);
        },
        ["full-frame-read"] = ReadFrames,
        ["rpc-address"] = question =>
        {
            Span<byte> address = stackalloc byte[RpcAddress.Length];
            RpcAddress.Write(IPAddress.Parse(question.Text("ip")), address);
            return Question.Hex(address);
        },
        ["rpc-write"] = Write,
        ["rpc-read"] = Read,
        ["proxy-config"] = question =>
        {
            var document = ProxyConfigDocument.Parse(Encoding.ASCII.GetString(question.Hex("text")));
            var proxies = document.Dcs.SelectMany(dc => document.Endpoints(dc).Select(
                endpoint => $"{dc}={Question.Hex(endpoint.Address.GetAddressBytes())}={endpoint.Port}"));
            return string.Join(' ', proxies.Prepend($"{document.DefaultDc?.ToString() ?? "none"}"));
        },
    };

    // Keys and ivs are not shown to anybody; what they encrypt is as good.
    private static string Keys(JsonElement question)
    {
        if (!MiddleProxySecret.TryCreate(question.Hex("proxySecret"), out var secret))
            return "bad secret";
        MiddleProxyKeys.Derive(
            question.Hex("serverNonce"), question.Hex("clientNonce"), (uint)question.Number("time"),
            new IPEndPoint(IPAddress.Parse(question.Text("serverIp")), (int)question.Number("serverPort")),
            new IPEndPoint(IPAddress.Parse(question.Text("clientIp")), (int)question.Number("clientPort")),
            secret, out var toServer, out var toProxy);
        var (up, down) = (new byte[Sample], new byte[Sample]);
        toServer.Encrypt(up);
        toProxy.Encrypt(down);
        return Question.Line(Question.Hex(up), Question.Hex(down));
    }

    private static string ReadFrames(JsonElement question)
    {
        ReadOnlySpan<byte> rest = question.Hex("bytes");
        var payloads = new List<string>();
        for (var sequence = (int)question.Number("sequence"); ; sequence++)
        {
            var status = FullFrame.TryRead(rest, sequence, checkCrc: true, out var frame, out var error);
            if (status == FrameStatus.Invalid) return error.Tag();
            if (status == FrameStatus.NeedMoreData)
                return string.Join(' ', payloads.Prepend($"{rest.Length - frame.Consumed}"));
            payloads.Add("p" + Question.Hex(rest.Slice(frame.PayloadOffset, frame.PayloadLength)));
            rest = rest[frame.Consumed..];
        }
    }

    private static string Write(JsonElement question)
    {
        var bytes = new byte[128];
        var (id, body) = (question.Number("id"), question.Hex("body"));
        var length = question.Text("kind") switch
        {
            "ProxyAns" => RpcPacket.WriteProxyAnsHeader(bytes, (uint)question.Number("flags"), id),
            "CloseExt" => RpcPacket.WriteCloseExt(bytes, id),
            "CloseConn" => RpcPacket.WriteCloseConn(bytes, id),
            "SimpleAck" => RpcPacket.WriteSimpleAck(bytes, id, body),
            "Ping" => RpcPacket.WritePing(bytes, id),
            "Pong" => RpcPacket.WritePong(bytes, id),
            "Nonce" => WriteNonce(bytes, question),
            "Handshake" => WriteHandshake(bytes, question),
            "ProxyReq" => WriteRequest(bytes, question, id, body),
            var other => throw new InvalidDataException(other),
        };
        return Question.Hex([.. bytes[..length], .. question.Text("kind") is "ProxyAns" or "ProxyReq" ? body : []]);
    }

    private static int WriteNonce(byte[] bytes, JsonElement question)
    {
        RpcNonce.Write(bytes, (uint)question.Number("selector"), (uint)question.Number("time"), question.Hex("nonce"));
        return RpcNonce.Length;
    }

    private static int WriteHandshake(byte[] bytes, JsonElement question)
    {
        RpcHandshake.Write(bytes, question.Hex("sender"), question.Hex("peer"));
        return RpcHandshake.Length;
    }

    private static int WriteRequest(byte[] bytes, JsonElement question, long id, byte[] packet)
    {
        var (client, proxy, tag) = (new byte[RpcAddress.Length], new byte[RpcAddress.Length], question.Hex("tag"));
        RpcAddress.Write(IPAddress.Parse(question.Text("clientIp")), client);
        RpcAddress.Write(IPAddress.Parse(question.Text("proxyIp")), proxy);
        return RpcProxyReq.WriteHeader(bytes, new RpcProxyReqHeader
        {
            Flags = RpcProxyReqFlags.For(
                question.Transport(), tag.Length > 0, RpcProxyReqFlags.IsEncrypted(packet), question.Flag("quick")),
            ConnectionId = id,
            ClientAddress = client,
            ClientPort = (ushort)question.Number("clientPort"),
            ProxyAddress = proxy,
            ProxyPort = (ushort)question.Number("proxyPort"),
            AdTag = tag,
        });
    }

    private static string Read(JsonElement question)
    {
        var payload = question.Hex("bytes");
        var packet = RpcPacket.Read(payload);
        if (packet.Kind == RpcPacketKind.ProxyReq)
        {
            return RpcProxyReq.TryRead(payload, out var header, out var offset)
                ? Question.Line(
                    "ProxyReq", header.Flags, header.ConnectionId, Question.Hex(header.ClientAddress),
                    header.ClientPort, Question.Hex(header.ProxyAddress), header.ProxyPort,
                    "t" + Question.Hex(header.AdTag), "p" + Question.Hex(payload.AsSpan(offset)))
                : "bad ProxyReq";
        }

        return packet.Kind switch
        {
            RpcPacketKind.ProxyAns => Question.Line(packet.Kind, packet.ConnectionId, packet.Flags, "p" + Question.Hex(packet.Body)),
            RpcPacketKind.CloseExt or RpcPacketKind.CloseConn => Question.Line(packet.Kind, packet.ConnectionId),
            RpcPacketKind.SimpleAck => Question.Line(packet.Kind, packet.ConnectionId, "p" + Question.Hex(packet.Body)),
            RpcPacketKind.Ping or RpcPacketKind.Pong => Question.Line(packet.Kind, packet.PingId),
            _ => "Unknown",
        };
    }
}
