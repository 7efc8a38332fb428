using Portico.Fuzz.Checking;
using Portico.Fuzz.Searching;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.MiddleProxy;

/// <summary>A payload after the handshake, in either direction.</summary>
internal sealed class RpcPacketTarget : WholeTarget
{
    private static readonly uint[] Constructors =
    [
        RpcConstructors.ProxyReq, RpcConstructors.ProxyAns, RpcConstructors.CloseConn,
        RpcConstructors.CloseExt, RpcConstructors.SimpleAck, RpcConstructors.Ping,
        RpcConstructors.Pong, RpcConstructors.ProxyTag, RpcConstructors.HttpQueryInfo,
    ];

    public override string Name => "rpc-packet";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok ProxyReq", "Ok ProxyAns", "Ok CloseConn", "Ok CloseExt",
        "Ok SimpleAck", "Ok Ping", "Ok Pong", "Ok Unknown", "Invalid ProxyReq",
    ];

    public override IEnumerable<byte[]> Seeds => VectorFile.Bytes("rpc.json", "packets", "payload");

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. Constructors.Select(BitConverter.GetBytes), [0x18, 0, 0, 0], [8, 0x10, 2, 0x20],
        [12, 0x10, 2, 0x20], [0xfe, 16, 0, 0], [0xfe, 0xff, 0xff, 0xff], [0xff], [16],
    ];

    public override byte[]? MutateStructure(byte[] input, SplitMix random) =>
    [
        .. BitConverter.GetBytes(random.Pick(Constructors)),
        .. input.Skip(4).Take(random.OneIn(2) ? 8 : random.OneIn(2) ? 12 : input.Length)
    ];

    protected override Outcome Read(ReadOnlySpan<byte> message)
    {
        var packet = RpcPacket.Read(message);
        Demand(packet.Body.IsEmpty || message.Overlaps(packet.Body), "gives a body that is no part of the message");
        if (packet.Kind == RpcPacketKind.ProxyReq) return ReadRequest(message);

        Span<byte> written = new byte[message.Length + RpcPacket.ProxyAnsHeaderLength];
        var length = packet.Kind switch
        {
            RpcPacketKind.ProxyAns => RpcPacket.WriteProxyAnsHeader(written, packet.Flags, packet.ConnectionId),
            RpcPacketKind.CloseExt => RpcPacket.WriteCloseExt(written, packet.ConnectionId),
            RpcPacketKind.CloseConn => RpcPacket.WriteCloseConn(written, packet.ConnectionId),
            RpcPacketKind.SimpleAck => RpcPacket.WriteSimpleAck(written, packet.ConnectionId, packet.Body),
            RpcPacketKind.Ping => RpcPacket.WritePing(written, packet.PingId),
            RpcPacketKind.Pong => RpcPacket.WritePong(written, packet.PingId),
            _ => 0,
        };
        Demand(written[..length].SequenceEqual(message[..length]), "does not write what it read");
        return new Outcome(
            FrameStatus.Ok, packet.Kind.ToString(), 0,
            new Digest().Add(packet.ConnectionId).Add(packet.PingId).Add(packet.Flags).Add(packet.Body).Value);
    }

    private static Outcome ReadRequest(ReadOnlySpan<byte> message)
    {
        if (!RpcProxyReq.TryRead(message, out var header, out var packetOffset))
            return new Outcome(FrameStatus.Invalid, "ProxyReq");

        Demand(packetOffset >= RpcProxyReq.HeaderLength && packetOffset <= message.Length, "puts the packet outside the message");
        Demand(header.AdTag.Length is 0 or AdTag.Length, "gives an ad tag of a length that cannot be");
        var canWrite = (header.Flags & RpcProxyReqFlags.HasHttpQueryInfo) == 0
            && packetOffset == RpcProxyReq.HeaderLengthFor(!header.AdTag.IsEmpty);
        if (canWrite)
        {
            var written = new byte[packetOffset];
            Demand(RpcProxyReq.WriteHeader(written, header) == packetOffset, "writes another length than it says");
            Demand(
                RpcProxyReq.TryRead(written, out var again, out var offsetAgain)
                    && offsetAgain == packetOffset
                    && again.AdTag.SequenceEqual(header.AdTag),
                "does not read what it wrote");
        }

        var digest = new Digest().Add(header.Flags).Add(header.ConnectionId)
            .Add(header.ClientAddress).Add(header.ClientPort).Add(header.ProxyAddress).Add(header.ProxyPort).Add(header.AdTag);
        return new Outcome(FrameStatus.Ok, "ProxyReq", packetOffset, digest.Value, (header.AdTag.IsEmpty ? 0 : 1) | (canWrite ? 2 : 0));
    }
}
