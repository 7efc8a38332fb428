using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.TestKit.Middle;

/// <summary>The honest middle proxy against the proxy's side of a link, driven by hand.</summary>
public sealed class FakeMiddleProxyTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50);

    private readonly MiddleProxySecret _secret = FakeConfigSite.RandomSecret();

    public static TheoryData<MiddleBehaviour> Manners =>
    [
        MiddleBehaviour.Good,
        new MiddleBehaviour { Piece = 1, PadsNonce = true },
        new MiddleBehaviour { PadsNonce = true, IsForgetful = true },
        new MiddleBehaviour { PadsEveryFrame = true, SurplusPadding = 32 },
    ];

    [Theory]
    [MemberData(nameof(Manners))]
    public async Task A_link_carries_packets_whatever_the_servers_manners(MiddleBehaviour behaviour)
    {
        await using var fake = FakeMiddleProxy.Start(_secret, behaviour);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        for (var size = 0; size <= 12; size += 4)
            await link.EchoAsync(size);

        var connection = Assert.Single(fake.OpenConnections);
        await connection.Ready;
        Assert.Equal(RpcHandshake.AnonymousPid.ToArray(), connection.SenderPid);
        Assert.Equal(4, connection.Requests.Count);
        Assert.Equal(1, connection.OpenClientCount);
        Assert.Empty(fake.Violations);
    }

    [Fact]
    public async Task A_link_over_IPv6_has_keys_of_its_own_kind()
    {
        await using var fake = FakeMiddleProxy.Start(_secret, address: IPAddress.IPv6Loopback);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.EchoAsync();
        Assert.Equal(link.Wire.Local, Assert.Single(fake.Requests).Proxy);
        Assert.Empty(fake.Violations);
    }

    [Fact]
    public async Task A_proxy_behind_NAT_has_the_keys_and_requests_of_its_public_address()
    {
        var address = IPAddress.Parse("203.0.113.5");
        await using var fake = FakeMiddleProxy.Start(_secret, new MiddleBehaviour { ProxyAddress = address });
        await using var link = await LinkClient.ConnectAsync(fake, _secret, address);
        Assert.Equal(MiddleProxyError.None, await link.ShakeHandsAsync());
        await link.EchoAsync();
        Assert.Equal(new IPEndPoint(address, link.Wire.Local.Port), Assert.Single(fake.Requests).Proxy);
        Assert.Empty(fake.Violations);
    }

    [Fact]
    public async Task Every_field_of_a_request_is_in_the_books()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var tag = AdTag.Create(RandomNumberGenerator.GetBytes(AdTag.Length));
        var packet = TestFrame.Create(TestCommand.Echo, new byte[8]);
        var flags = RpcProxyReqFlags.For(Transport.Abridged, hasAdTag: true, isEncrypted: true, quickAck: false);
        await link.SendAsync(link.Request(packet, 5, flags, tag));
        await link.ExpectAsync(MiddlePayload.ProxyAns(5, packet));

        var request = Assert.Single(fake.Requests);
        Assert.Equal((5L, flags, Transport.Abridged), (request.ConnectionId, request.Flags, request.Transport));
        Assert.Equal((new IPEndPoint(IPAddress.Parse("192.0.2.7"), 4321), link.Wire.Local), (request.Client, request.Proxy));
        Assert.Equal((tag, packet.Length, false), (request.AdTag, request.PacketLength, request.IsLate));
        Assert.Equal(packet, request.Packet);
        Assert.Empty(fake.Violations);
    }

    [Fact]
    public async Task A_request_for_a_quick_acknowledgement_gets_one_before_its_answer()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var packet = TestFrame.Create(TestCommand.Echo, new byte[8]);
        await link.SendRequestAsync(
            packet, flags: RpcProxyReqFlags.For(Transport.Padded, hasAdTag: false, isEncrypted: true, quickAck: true));
        await link.ExpectAsync(MiddlePayload.SimpleAck(LinkClient.Id, MiddleRequest.ConfirmOf(packet)));
        await link.ExpectAsync(MiddlePayload.ProxyAns(LinkClient.Id, packet));
        Assert.True(Assert.Single(fake.Requests).WantsQuickAck);
    }

    [Fact]
    public async Task The_data_centre_behind_answers_pings_and_every_test_command()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var nonce = RandomNumberGenerator.GetBytes(MtprotoMessages.NonceLength);
        await link.SendRequestAsync(MtprotoMessages.CreateReqPq(nonce));
        Assert.True(MtprotoMessages.IsResPq(RpcPacket.Read((await link.ReceiveAsync()).Payload).Body, nonce));
        await link.SendRequestAsync(new byte[40]);
        await link.ExpectAsync(MiddlePayload.ProxyAns(LinkClient.Id, MtprotoMessages.NotFound, MiddlePayload.SmallErrorFlag));

        var order = new byte[8];
        BinaryPrimitives.WriteUInt32LittleEndian(order, 300);
        BinaryPrimitives.WriteInt32LittleEndian(order.AsSpan(4), 5000);
        await link.SendRequestAsync(TestFrame.Create(TestCommand.Source, order));
        var frame = new byte[TestFrame.HeaderLength + 5000];
        for (uint sequence = 0; sequence < 300; sequence++)
        {
            TestFrame.WritePattern(frame, TestCommand.Source, sequence, 5000);
            await link.ExpectAsync(MiddlePayload.ProxyAns(LinkClient.Id, frame));
        }

        TestFrame.WritePattern(frame, TestCommand.Sink, 0, 5000);
        await link.SendRequestAsync(frame);
        await link.SendRequestAsync(TestFrame.Create(TestCommand.Report, []));
        var report = new byte[16];
        report[0] = 1;
        BinaryPrimitives.WriteUInt64LittleEndian(report.AsSpan(8), 5000);
        await link.ExpectAsync(MiddlePayload.ProxyAns(LinkClient.Id, TestFrame.Create(TestCommand.Report, report)));

        await link.SendRequestAsync(TestFrame.Create(TestCommand.Finish, []));
        await link.ExpectAsync(MiddlePayload.CloseExt(LinkClient.Id));
        Assert.True(Assert.Single(fake.Connections[0].Clients).IsClosedByServer);
        await link.SendRequestAsync(TestFrame.Create(TestCommand.Reset, []), id: 2);
        Assert.Equal(PeerEnd.Reset, (await link.ReceiveAsync()).End);
        Assert.Equal(PeerEnd.None, await fake.Connections[0].Ended);
        Assert.Empty(fake.Violations);
    }

    [Fact]
    public async Task Pings_go_both_ways()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var ping = (await fake.NextConnectionAsync()).PingAsync();
        var asked = RpcPacket.Read((await link.ReceiveAsync()).Payload);
        Assert.Equal(RpcPacketKind.Ping, asked.Kind);
        await link.SendAsync(MiddlePayload.Pong(asked.PingId));
        await ping;

        await link.SendAsync(MiddlePayload.Ping(77));
        await link.ExpectAsync(MiddlePayload.Pong(77));
        Assert.Empty(fake.Violations);
    }

    [Fact]
    public async Task A_ping_without_a_pong_fails_when_the_link_ends()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var ping = (await fake.NextConnectionAsync()).PingAsync();
        link.Wire.FinishSending();
        await Assert.ThrowsAsync<PeerSurpriseException>(() => ping);
    }

    [Fact]
    public async Task Frames_of_one_write_share_their_padding_and_begin_on_any_word()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        link.FrameOffsets.Clear();
        byte[][] payloads =
            [MiddlePayload.Unknown, [], MiddlePayload.ProxyAns(9, new byte[4]), MiddlePayload.CloseExt(9), MiddlePayload.CloseConn(9)];
        await (await fake.NextConnectionAsync()).SendAsync(payloads);
        foreach (var payload in payloads)
            await link.ExpectAsync(payload);
        Assert.Equal([0L, 4L, 0L, 0L, 8L], link.FrameOffsets.Select(offset => offset % 16));
    }

    [Theory]
    [InlineData(PeerEnd.Fin)]
    [InlineData(PeerEnd.Reset)]
    public async Task All_links_end_at_once_and_new_ones_can_be_made(PeerEnd end)
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var first = await LinkClient.OpenAsync(fake, _secret);
        await using var second = await LinkClient.OpenAsync(fake, _secret);
        await fake.UntilAsync(it => it.OpenConnections.Count == 2);
        await fake.EndAllAsync(end);
        Assert.Equal(end, (await first.ReceiveAsync()).End);
        Assert.Equal(end, (await second.ReceiveAsync()).End);
        Assert.Empty(fake.OpenConnections);

        await using var third = await LinkClient.OpenAsync(fake, _secret);
        await third.EchoAsync();
        Assert.Single(fake.OpenConnections);
        Assert.Empty(fake.Violations);
    }

    [Fact]
    public async Task One_link_ends_and_what_still_comes_on_it_is_late()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var doomed = await LinkClient.OpenAsync(fake, _secret);
        await using var other = await LinkClient.OpenAsync(fake, _secret);
        var connection = await fake.NextConnectionAsync();
        await connection.EndAsync();
        Assert.Equal(PeerEnd.Fin, (await doomed.ReceiveAsync()).End);
        await doomed.SendRequestAsync(TestFrame.Create(TestCommand.Echo, []));
        doomed.Wire.FinishSending();
        Assert.Equal(PeerEnd.Fin, await connection.Ended);
        Assert.True(Assert.Single(connection.Requests).IsLate);
        await other.EchoAsync();
    }

    [Fact]
    public async Task Requests_are_answered_after_the_gate_opens()
    {
        var gate = new Gate(isOpen: false);
        await using var fake = FakeMiddleProxy.Start(_secret, new MiddleBehaviour { Answering = gate });
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var packet = TestFrame.Create(TestCommand.Echo, new byte[8]);
        await link.SendRequestAsync(packet);
        await fake.UntilAsync(it => it.Requests.Count == 1);
        Assert.Equal(PeerEnd.Timeout, (await link.ReceiveAsync(Moment)).End);
        gate.Open();
        await link.ExpectAsync(MiddlePayload.ProxyAns(LinkClient.Id, packet));
    }

    [Fact]
    public async Task Nothing_is_read_until_the_gate_opens()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var connection = await fake.NextConnectionAsync();
        connection.Reading.Close();
        await link.SendRequestAsync(TestFrame.Create(TestCommand.Echo, []));
        Assert.Equal(PeerEnd.Timeout, (await link.ReceiveAsync(Moment)).End);
        Assert.Empty(connection.Requests);
        connection.Reading.Open();
        await link.ExpectAsync(MiddlePayload.ProxyAns(LinkClient.Id, TestFrame.Create(TestCommand.Echo, [])));
    }

    [Fact]
    public async Task A_middle_proxy_refuses_connections_for_a_while_and_keeps_its_port()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await fake.StopListeningAsync();
        await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => Wire.ConnectAsync(fake.Endpoint));
        await link.EchoAsync();
        fake.ListenAgain();
        await using var next = await LinkClient.OpenAsync(fake, _secret);
        await next.EchoAsync();
    }
}
