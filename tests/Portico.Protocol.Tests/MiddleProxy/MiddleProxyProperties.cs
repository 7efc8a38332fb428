using FsCheck;
using FsCheck.Fluent;
using Portico.Protocol.MiddleProxy;
using Xunit;

namespace Portico.Protocol.Tests.MiddleProxy;

/// <summary>
/// The properties of spec/05 section 9.3 for full frames, aes_cbc,
/// rpc and the stack of them. A failure prints the seed that repeats it.
/// </summary>
public class MiddleProxyProperties
{
    // With and without checksums.
    private static readonly bool[] BothWays = [true, false];

    private sealed record Request(
        uint Flags, long ConnectionId, byte[] ClientAddress, ushort ClientPort,
        byte[] ProxyAddress, ushort ProxyPort, byte[] AdTag, byte[] Packet);

    [Fact]
    public void A_frame_is_read_as_it_was_written_with_and_without_checksums() => Prop.ForAll(
        Words.ToArbitrary(),
        Numbers.ToArbitrary(),
        (payload, number) =>
        {
            var sequence = (int)number;
            var wire = Frames.Write(sequence, payload);
            return BothWays.All(checkCrc => Frames.Parser(sequence, checkCrc)(wire, out var read) == FrameStatus.Ok
                && read.Frame.Consumed == wire.Length
                && wire.AsSpan(read.Frame.PayloadOffset, read.Frame.PayloadLength).SequenceEqual(payload));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Frames_one_after_the_other_are_the_same_frames_whatever_the_padding_and_the_reads() => Prop.ForAll(
        (from payload in Words from padding in Gen.Choose(0, 5) select (payload, padding)).ListOf().ToArbitrary(),
        ChunkLengths.ToArbitrary(),
        (frames, chunks) =>
        {
            byte[] wire = [.. frames.SelectMany((one, index) => Padding(one.padding).Concat(Frames.Write(index, one.payload)))];
            var receiver = new FullReceiver(0);
            ReceiveInChunks(receiver, wire, chunks);
            return receiver is { Error: MiddleProxyError.None, IsInsideFrame: false }
                && Frames.Same(frames.Select(one => one.payload), receiver.Payloads);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_link_carries_payloads_whatever_is_flushed_together_and_read_together() => Prop.ForAll(
        Words.NonEmptyListOf().ListOf().ToArbitrary(),
        Bytes(Gen.Constant(48)).ToArbitrary(),
        ChunkLengths.ToArbitrary(),
        (flushes, key, chunks) =>
        {
            var sending = new MiddleProxyCipher(key.AsSpan(0, 32), key.AsSpan(32));
            var sequence = FullFrame.FirstSequence + 1;
            var wire = new List<byte>();
            foreach (var flush in flushes)
            {
                var blocks = Frames.Pad([.. flush.SelectMany(payload => Frames.Write(sequence++, payload))]);
                sending.Encrypt(blocks);
                wire.AddRange(blocks);
            }

            var receiver = new FullReceiver(FullFrame.FirstSequence + 1, new MiddleProxyCipher(key.AsSpan(0, 32), key.AsSpan(32)));
            ReceiveInChunks(receiver, [.. wire], chunks);
            return receiver is { Error: MiddleProxyError.None, IsInsideFrame: false }
                && Frames.Same(flushes.SelectMany(flush => flush), receiver.Payloads);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Blocks_encrypted_in_pieces_are_decrypted_as_one() => Prop.ForAll(
        Bytes(Gen.Choose(0, 20).Select(blocks => blocks * MiddleProxyCipher.BlockLength)).ListOf().ToArbitrary(),
        Bytes(Gen.Constant(48)).ToArbitrary(),
        (pieces, key) =>
        {
            var (sending, receiving) = (
                new MiddleProxyCipher(key.AsSpan(0, 32), key.AsSpan(32)), new MiddleProxyCipher(key.AsSpan(0, 32), key.AsSpan(32)));
            var wire = new List<byte>();
            foreach (var piece in pieces)
            {
                var blocks = piece.ToArray();
                sending.Encrypt(blocks);
                wire.AddRange(blocks);
            }

            var received = wire.ToArray();
            receiving.Decrypt(received);
            return received.SequenceEqual(pieces.SelectMany(piece => piece));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_changed_byte_never_gives_another_payload() => Prop.ForAll(
        Words.ToArbitrary(),
        Gen.Choose(0, int.MaxValue).ToArbitrary(),
        Gen.Choose(1, 255).ToArbitrary(),
        (payload, position, change) =>
        {
            var wire = Frames.Write(0, payload);
            wire[position % wire.Length] ^= (byte)change;
            return Frames.Parser(0)(wire, out _) != FrameStatus.Ok;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Any_bytes_at_all_get_a_status_and_no_frame_reaches_beyond_them() => Prop.ForAll(
        LikelyFrames.ToArbitrary(),
        bytes => BothWays.All(checkCrc =>
        {
            var status = Frames.Parser(0, checkCrc)(bytes, out var read);
            return (status == FrameStatus.Invalid) == (read.Error != MiddleProxyError.None)
                && read.Frame.Consumed <= bytes.Length
                && (status != FrameStatus.Ok
                    || read.Frame.PayloadOffset + read.Frame.PayloadLength + FullFrame.TrailerLength == read.Frame.Consumed);
        })).QuickCheckThrowOnFailure();

    [Fact]
    public void A_request_is_read_as_it_was_written() => Prop.ForAll(
        Requests.ToArbitrary(),
        request =>
        {
            var payload = Write(request);
            return RpcProxyReq.TryRead(payload, out var read, out var packetOffset)
                && (read.Flags, read.ConnectionId, read.ClientPort, read.ProxyPort)
                    == (request.Flags, request.ConnectionId, request.ClientPort, request.ProxyPort)
                && read.ClientAddress.SequenceEqual(request.ClientAddress)
                && read.ProxyAddress.SequenceEqual(request.ProxyAddress)
                && read.AdTag.SequenceEqual(request.AdTag)
                && payload.AsSpan(packetOffset).SequenceEqual(request.Packet);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_request_with_a_changed_byte_is_read_or_refused_and_never_more() => Prop.ForAll(
        Requests.ToArbitrary(),
        Gen.Choose(0, int.MaxValue).ToArbitrary(),
        Gen.Choose(0, 255).ToArbitrary(),
        (request, position, value) =>
        {
            var payload = Write(request);
            payload[position % payload.Length] = (byte)value;
            return !RpcProxyReq.TryRead(payload, out _, out var packetOffset) || (packetOffset <= payload.Length && packetOffset % 4 == 0);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_answer_is_read_as_it_was_written() => Prop.ForAll(
        Words.ToArbitrary(),
        Numbers.ToArbitrary(),
        Numbers.ToArbitrary(),
        (packet, connectionId, flags) =>
        {
            var payload = new byte[RpcPacket.ProxyAnsHeaderLength + packet.Length];
            packet.CopyTo(payload.AsSpan(RpcPacket.WriteProxyAnsHeader(payload, (uint)flags, connectionId)));
            var read = RpcPacket.Read(payload);
            return (read.Kind, read.ConnectionId, read.Flags) == (RpcPacketKind.ProxyAns, connectionId, (uint)flags)
                && read.Body.SequenceEqual(packet);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Ends_pings_and_acknowledgements_are_read_as_they_were_written() => Prop.ForAll(
        Numbers.ToArbitrary(),
        Bytes(Gen.Constant(4)).ToArbitrary(),
        (number, confirm) =>
        {
            var payload = new byte[RpcPacket.SimpleAckLength];
            return Kind(payload.AsSpan(0, RpcPacket.WriteCloseConn(payload, number))) == (RpcPacketKind.CloseConn, number, 0)
                && Kind(payload.AsSpan(0, RpcPacket.WriteCloseExt(payload, number))) == (RpcPacketKind.CloseExt, number, 0)
                && Kind(payload.AsSpan(0, RpcPacket.WritePing(payload, number))) == (RpcPacketKind.Ping, 0, number)
                && Kind(payload.AsSpan(0, RpcPacket.WritePong(payload, number))) == (RpcPacketKind.Pong, 0, number)
                && Kind(payload.AsSpan(0, RpcPacket.WriteSimpleAck(payload, number, confirm))) == (RpcPacketKind.SimpleAck, number, 0)
                && RpcPacket.Read(payload).Body.SequenceEqual(confirm);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Nonces_and_handshakes_are_read_as_they_were_written() => Prop.ForAll(
        Bytes(Gen.Constant(48)).ToArbitrary(),
        Numbers.ToArbitrary(),
        (random, number) =>
        {
            byte[] nonce = new byte[RpcNonce.Length], handshake = new byte[RpcHandshake.Length],
                refusal = new byte[RpcHandshakeError.Length];
            RpcNonce.Write(nonce, (uint)number, (uint)(number >> 32), random.AsSpan(0, 16));
            RpcHandshake.Write(handshake, random.AsSpan(16, 12), random.AsSpan(28, 12));
            RpcHandshakeError.Write(refusal, (int)number, random.AsSpan(16, 12));
            return RpcNonce.TryRead(nonce, (uint)number, out var readNonce, out _)
                && readNonce.Timestamp == (uint)(number >> 32)
                && readNonce.Nonce.SequenceEqual(random.AsSpan(0, 16))
                && RpcHandshake.TryRead(handshake, out var readHandshake, out _)
                && readHandshake.SenderPid.SequenceEqual(random.AsSpan(16, 12))
                && readHandshake.PeerPid.SequenceEqual(random.AsSpan(28, 12))
                && RpcHandshakeError.TryRead(refusal, out var readRefusal)
                && readRefusal.Code == (int)number
                && readRefusal.SenderPid.SequenceEqual(random.AsSpan(16, 12));
        }).QuickCheckThrowOnFailure();

    private static Gen<int[]> ChunkLengths => Gen.Choose(1, 300).NonEmptyListOf().Select(lengths => lengths.ToArray());

    private static Gen<byte[]> Words => Bytes(Gen.Frequency((3, Gen.Choose(0, 10)), (1, Gen.Choose(11, 200))).Select(words => words * 4));

    private static Gen<long> Numbers => Bytes(Gen.Constant(8)).Select(bytes => BitConverter.ToInt64(bytes));

    private static Gen<byte[]> Bytes(Gen<int> length) =>
        length.SelectMany(count => Gen.Choose(0, 255).Select(value => (byte)value).ArrayOf(count));

    /// <summary>
    /// Few bytes, most of them such as make padding, short lengths and the due number:
    /// uniform ones would nearly all be lengths beyond the limit.
    /// </summary>
    private static Gen<byte[]> LikelyFrames =>
        from words in Gen.Frequency(
            (2, Gen.Constant(4)), (2, Gen.Choose(3, 8).Select(count => count * 4)),
            (2, Gen.Constant(0)), (1, Gen.Choose(int.MinValue, int.MaxValue))).ArrayOf()
        from cut in Gen.Choose(0, 3)
        let bytes = words.SelectMany(BitConverter.GetBytes).ToArray()
        select bytes[..Math.Max(0, bytes.Length - cut)];

    private static Gen<Request> Requests =>
        from transport in Gen.Elements(Enum.GetValues<Transport>())
        from adTag in Bytes(Gen.Elements(0, AdTag.Length))
        from quickAck in Gen.Elements(true, false)
        from connectionId in Numbers
        from addresses in Bytes(Gen.Constant(2 * RpcAddress.Length))
        from clientPort in Gen.Choose(0, 65535)
        from proxyPort in Gen.Choose(0, 65535)
        from packet in Words
        select new Request(
            RpcProxyReqFlags.For(transport, adTag.Length > 0, RpcProxyReqFlags.IsEncrypted(packet), quickAck),
            connectionId,
            addresses[..RpcAddress.Length],
            (ushort)clientPort,
            addresses[RpcAddress.Length..],
            (ushort)proxyPort,
            adTag,
            packet);

    private static byte[] Write(Request request)
    {
        var payload = new byte[RpcProxyReq.HeaderLengthFor(request.AdTag.Length > 0) + request.Packet.Length];
        var header = new RpcProxyReqHeader
        {
            Flags = request.Flags,
            ConnectionId = request.ConnectionId,
            ClientAddress = request.ClientAddress,
            ClientPort = request.ClientPort,
            ProxyAddress = request.ProxyAddress,
            ProxyPort = request.ProxyPort,
            AdTag = request.AdTag,
        };
        request.Packet.CopyTo(payload.AsSpan(RpcProxyReq.WriteHeader(payload, header)));
        return payload;
    }

    private static (RpcPacketKind Kind, long ConnectionId, long PingId) Kind(ReadOnlySpan<byte> payload)
    {
        var packet = RpcPacket.Read(payload);
        return (packet.Kind, packet.ConnectionId, packet.PingId);
    }

    private static byte[] Padding(int words)
    {
        var padding = new byte[words * 4];
        FullFrame.WritePadding(padding);
        return padding;
    }

    private static void ReceiveInChunks(FullReceiver receiver, byte[] wire, int[] chunks)
    {
        for (int at = 0, turn = 0; at < wire.Length; turn++)
        {
            var length = Math.Min(chunks[turn % chunks.Length], wire.Length - at);
            receiver.Receive(wire.AsSpan(at, length));
            at += length;
        }
    }
}
