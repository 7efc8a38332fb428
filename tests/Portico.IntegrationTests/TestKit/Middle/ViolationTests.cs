using System.Security.Cryptography;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.TestKit.Middle;

/// <summary>The fake middle proxy notices what no proxy may do, and only that.</summary>
public sealed class ViolationTests
{
    private static readonly byte[] Packet = TestFrame.Create(TestCommand.Echo, new byte[8]);

    private readonly MiddleProxySecret _secret = FakeConfigSite.RandomSecret();

    public static TheoryData<string, uint> WrongFlags => new()
    {
        { "belong to no transport", Flags() | RpcProxyReqFlags.Abridged },
        { "bits that no proxy sets", Flags() | 0x10000000 },
        { "lack bits", Flags() & ~RpcProxyReqFlags.Magic },
        { "contrary", Flags() | RpcProxyReqFlags.NotEncrypted },
    };

    [Theory]
    [MemberData(nameof(WrongFlags))]
    public async Task Flags_that_make_no_sense_are_noticed(string violation, uint flags)
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.SendRequestAsync(Packet, flags: flags);
        await ExpectViolationAsync(fake, violation);
    }

    [Fact]
    public async Task Frames_that_break_the_format_are_noticed_and_end_the_link()
    {
        await AssertBrokenAsync("wrong_checksum", async link =>
        {
            var frame = link.Frame(MiddlePayload.Ping(1));
            frame[^1] ^= 1;
            await link.SendBytesAsync(frame);
        });
        await AssertBrokenAsync("wrong_seq_no", async link =>
        {
            link.Frame(MiddlePayload.Ping(1));
            await link.SendAsync(MiddlePayload.Ping(2));
        });
        await AssertBrokenAsync("wrong_alignement", link => link.SendBytesAsync([17, 0, 0, 0, .. new byte[12]]));
    }

    [Fact]
    public async Task Padding_that_fills_no_block_is_noticed()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.SendBytesAsync([.. link.Frame(MiddlePayload.Ping(1)), 4, 0, 0, 0, .. link.Frame(MiddlePayload.Ping(2))]);
        await link.ExpectAsync(MiddlePayload.Pong(1));
        await ExpectViolationAsync(fake, "fills no block");
    }

    [Fact]
    public async Task Padding_of_whole_blocks_is_noticed()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var padding = new byte[16];
        FullFrame.WritePadding(padding);
        await link.SendBytesAsync(padding);
        await ExpectViolationAsync(fake, "bytes of padding before frame 0");
    }

    [Fact]
    public async Task Frames_that_share_their_padding_are_no_violation()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.SendAsync(link.Request(Packet), MiddlePayload.Ping(1), link.Request(Packet, id: 2), MiddlePayload.CloseConn(2));
        await fake.UntilAsync(it => it.Connections[0].CloseConns.Count == 1);
        Assert.Equal(1, fake.Connections[0].OpenClientCount);
        Assert.Empty(fake.Violations);
    }

    [Fact]
    public async Task An_end_inside_a_frame_is_noticed()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.SendBytesAsync(link.Frame(MiddlePayload.Ping(1))[..16]);
        link.Wire.FinishSending();
        await ExpectViolationAsync(fake, "FIN inside a frame");
        Assert.Equal(PeerEnd.Fin, await fake.Connections[0].Ended);
    }

    [Fact]
    public async Task A_nonce_of_another_secret_is_noticed_and_refused()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.ConnectAsync(fake, _secret);
        await link.SendNonceAsync(keySelector: ~_secret.KeySelector);
        Assert.Equal(PeerEnd.Reset, (await link.ReceiveAsync()).End);
        Assert.Equal(PeerEnd.None, await fake.Connections[0].Ended);
        await Assert.ThrowsAsync<PeerSurpriseException>(() => fake.Connections[0].Ready);
        await ExpectViolationAsync(fake, "RPC_NONCE: wrong_key_selector");
    }

    [Fact]
    public async Task Speaking_before_the_answer_to_the_nonce_is_noticed()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.ConnectAsync(fake, _secret);
        var nonce = new byte[RpcNonce.Length];
        RpcNonce.Write(
            nonce, _secret.KeySelector, (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds(),
            RandomNumberGenerator.GetBytes(RpcNonce.NonceLength));
        await link.SendBytesAsync([.. link.Frame(nonce), .. new byte[20]]);
        await ExpectViolationAsync(fake, "before its answer");
    }

    [Fact]
    public async Task A_clock_that_is_off_is_noticed()
    {
        var time = new Portico.TestKit.Time.ManualTime();
        await using var fake = FakeMiddleProxy.Start(_secret, time: time);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await ExpectViolationAsync(fake, "the clock says");
    }

    [Fact]
    public async Task A_client_is_closed_once_and_only_if_it_was_there()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        var connection = await fake.NextConnectionAsync();
        await link.EchoAsync();
        await link.SendAsync(MiddlePayload.CloseConn(LinkClient.Id));
        await fake.UntilAsync(it => it.Connections[0].CloseConns.Count == 1);
        Assert.Equal((1, false), (connection.Clients[0].CloseConnCount, connection.Clients[0].IsOpen));

        // an answer for somebody whom the proxy does not know: it says so
        await connection.SendAsync(MiddlePayload.ProxyAns(99, new byte[4]));
        await link.ExpectAsync(MiddlePayload.ProxyAns(99, new byte[4]));
        await link.SendAsync(MiddlePayload.CloseConn(99));
        await fake.UntilAsync(it => it.Connections[0].CloseConns.Count == 2);
        Assert.Empty(fake.Violations);

        await link.SendAsync(MiddlePayload.CloseConn(99));
        await ExpectViolationAsync(fake, "which never sent anything");
    }

    [Fact]
    public async Task A_client_that_changes_or_comes_back_is_noticed()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.EchoAsync();
        await link.SendRequestAsync(Packet, flags: RpcProxyReqFlags.For(Transport.Abridged, false, true, false));
        await ExpectViolationAsync(fake, "was Intermediate and is now Abridged");
        await link.SendAsync(MiddlePayload.CloseConn(LinkClient.Id), link.Request(Packet));
        await ExpectViolationAsync(fake, "after its RPC_CLOSE_CONN");
    }

    [Fact]
    public async Task What_only_servers_say_is_noticed()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.SendAsync(MiddlePayload.CloseExt(1));
        await ExpectViolationAsync(fake, "a proxy does not say 5eb634a2");
        await link.SendAsync(MiddlePayload.Pong(1));
        await ExpectViolationAsync(fake, "without a ping");
    }

    private static uint Flags() => RpcProxyReqFlags.For(Transport.Intermediate, hasAdTag: false, isEncrypted: true, quickAck: false);

    private static Task ExpectViolationAsync(FakeMiddleProxy fake, string violation) =>
        fake.UntilAsync(it => it.Violations.Any(what => what.Contains(violation, StringComparison.Ordinal)));

    private async Task AssertBrokenAsync(string violation, Func<LinkClient, Task> act)
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await act(link);
        Assert.Equal(PeerEnd.Reset, (await link.ReceiveAsync()).End);
        await ExpectViolationAsync(fake, violation);
    }
}
