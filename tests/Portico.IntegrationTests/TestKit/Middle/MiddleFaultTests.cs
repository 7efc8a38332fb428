using System.Net.Sockets;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Telegram;
using Portico.TestKit.Telegram.Middle;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.TestKit.Middle;

/// <summary>Each misbehaviour of the fake middle proxy is what its name says, at every step.</summary>
public sealed class MiddleFaultTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(30);

    private readonly MiddleProxySecret _secret = FakeConfigSite.RandomSecret();

    public static TheoryData<MiddleFault, MiddleStep> FaultsInsteadOfMessages =>
        Pairs(Enum.GetValues<MiddleFault>(), [MiddleStep.NonceCame, MiddleStep.HandshakeCame, MiddleStep.RequestCame]);

    public static TheoryData<MiddleStep, PeerEnd> EndsBetweenMessages =>
        Pairs([MiddleStep.NonceSent, MiddleStep.HandshakeSent, MiddleStep.AnswerSent], [PeerEnd.Fin, PeerEnd.Reset]);

    public static TheoryData<MiddleBehaviour, MiddleProxyError> WrongHandshakes => new()
    {
        { new MiddleBehaviour { KeySelector = 1 }, MiddleProxyError.WrongKeySelector },
        { new MiddleBehaviour { Schema = 3 }, MiddleProxyError.WrongCryptoSchema },
        { new MiddleBehaviour { PeerPid = new byte[RpcHandshake.PidLength] }, MiddleProxyError.WrongPeerPid },
        { new MiddleBehaviour { HandshakeFlags = 0x800 }, MiddleProxyError.WrongHandshakeFlags },
        { new MiddleBehaviour { RefusesWith = -3 }, MiddleProxyError.HandshakeRefused },
    };

    [Theory]
    [MemberData(nameof(FaultsInsteadOfMessages))]
    public async Task A_fault_is_seen_instead_of_the_message_that_is_due(MiddleFault fault, MiddleStep step)
    {
        await using var fake = FakeMiddleProxy.Start(_secret, new MiddleBehaviour { FailsAt = step, Fault = fault });
        await using var link = await LinkClient.ConnectAsync(fake, _secret);
        await GoToAsync(link, step);
        AssertFault(fault, await link.ReceiveAsync(IsWithoutEnd(fault) ? Moment : null));
        Assert.Empty(fake.Violations);
    }

    [Theory]
    [MemberData(nameof(EndsBetweenMessages))]
    public async Task A_link_ends_after_the_message_of_a_step(MiddleStep step, PeerEnd end)
    {
        var fault = end == PeerEnd.Fin ? MiddleFault.Fin : MiddleFault.Reset;
        await using var fake = FakeMiddleProxy.Start(_secret, new MiddleBehaviour { FailsAt = step, Fault = fault });
        await using var link = await LinkClient.ConnectAsync(fake, _secret);
        // RST overtakes what was sent before it, so only FIN leaves the message whole for certain.
        await GoToAsync(link, step - 1);
        var came = await link.ReceiveAsync();
        if (end == PeerEnd.Fin)
        {
            Assert.NotEmpty(came.Payload);
            came = await link.ReceiveAsync();
        }
        else if (came.End == PeerEnd.None)
        {
            came = await link.ReceiveAsync();
        }
        Assert.Equal(end, came.End);
    }

    [Fact]
    public async Task A_link_is_reset_as_soon_as_it_is_accepted()
    {
        await using var fake = FakeMiddleProxy.Start(
            _secret, new MiddleBehaviour { FailsAt = MiddleStep.Accepted, Fault = MiddleFault.Reset });
        var end = PeerEnd.None;
        try
        {
            await using var link = await LinkClient.ConnectAsync(fake, _secret);
            end = (await link.Wire.ReadToEndAsync()).End;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.NotConnected)
        {
            // so soon that connecting or the first question about the socket tells of it
            end = PeerEnd.Reset;
        }
        Assert.Equal(PeerEnd.Reset, end);
    }

    [Theory]
    [MemberData(nameof(WrongHandshakes))]
    public async Task A_wrong_handshake_is_wrong_in_the_way_it_was_told(MiddleBehaviour behaviour, MiddleProxyError error)
    {
        await using var fake = FakeMiddleProxy.Start(_secret, behaviour);
        await using var link = await LinkClient.ConnectAsync(fake, _secret);
        Assert.Equal(error, await link.ShakeHandsAsync());
    }

    [Fact]
    public async Task A_clock_is_ahead_as_told()
    {
        await using var fake = FakeMiddleProxy.Start(_secret, new MiddleBehaviour { ClockAhead = TimeSpan.FromHours(2) });
        await using var link = await LinkClient.ConnectAsync(fake, _secret);
        await link.SendNonceAsync();
        Assert.True(RpcNonce.TryRead((await link.ReceiveAsync()).Payload, _secret.KeySelector, out var nonce, out _));
        Assert.True(nonce.Timestamp > TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds());
    }

    [Fact]
    public async Task Another_secret_makes_other_keys()
    {
        await using var fake = FakeMiddleProxy.Start(_secret, new MiddleBehaviour { OtherSecret = FakeConfigSite.RandomSecret() });
        await using var link = await LinkClient.ConnectAsync(fake, _secret);
        await link.SendNonceAsync();
        Assert.Equal(MiddleProxyError.None, link.TakeNonce(await link.ReceiveAsync()));
        await link.SendHandshakeAsync();
        // the server reads nonsense and hangs up
        Assert.Equal(PeerEnd.Reset, (await link.ReceiveAsync()).End);
        Assert.NotEmpty(fake.Violations);
    }

    [Fact]
    public async Task A_behaviour_for_the_next_connection_is_for_no_other()
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        fake.ForNext(new MiddleBehaviour { FailsAt = MiddleStep.Accepted, Fault = MiddleFault.Fin });
        await using var unlucky = await LinkClient.ConnectAsync(fake, _secret);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await unlucky.Wire.ReadToEndAsync());
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.EchoAsync();
    }

    [Theory]
    [InlineData(MiddleFault.WrongChecksum)]
    [InlineData(MiddleFault.HalfFrameThenReset)]
    public async Task A_good_link_goes_wrong_when_told(MiddleFault fault)
    {
        await using var fake = FakeMiddleProxy.Start(_secret);
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        await link.EchoAsync();
        await (await fake.NextConnectionAsync()).FailAsync(fault);
        AssertFault(fault, await link.ReceiveAsync());
        Assert.Empty(fake.OpenConnections);
    }

    [Fact]
    public async Task A_silent_server_goes_on_reading()
    {
        await using var fake = FakeMiddleProxy.Start(
            _secret, new MiddleBehaviour { FailsAt = MiddleStep.RequestCame, Fault = MiddleFault.Silence });
        await using var link = await LinkClient.OpenAsync(fake, _secret);
        for (var i = 0; i < 3; i++)
            await link.SendRequestAsync(TestFrame.Create(TestCommand.Echo, []));
        await fake.UntilAsync(it => it.Requests.Count == 3);
        Assert.Equal(PeerEnd.Timeout, (await link.ReceiveAsync(Moment)).End);
    }

    private static TheoryData<TFirst, TSecond> Pairs<TFirst, TSecond>(TFirst[] firsts, TSecond[] seconds)
    {
        var pairs = new TheoryData<TFirst, TSecond>();
        foreach (var first in firsts)
        {
            foreach (var second in seconds)
                pairs.Add(first, second);
        }
        return pairs;
    }

    /// <summary>Says what brings the server to a step that ends in Came.</summary>
    private static async Task GoToAsync(LinkClient link, MiddleStep step)
    {
        await link.SendNonceAsync();
        if (step == MiddleStep.NonceCame)
            return;
        Assert.Equal(MiddleProxyError.None, link.TakeNonce(await link.ReceiveAsync()));
        await link.SendHandshakeAsync();
        if (step == MiddleStep.HandshakeCame)
            return;
        Assert.Equal(MiddleProxyError.None, LinkClient.TakeHandshake(await link.ReceiveAsync()));
        await link.SendRequestAsync(TestFrame.Create(TestCommand.Echo, []));
    }

    private static bool IsWithoutEnd(MiddleFault fault) => fault is MiddleFault.Silence or MiddleFault.HalfFrame;

    private static void AssertFault(MiddleFault fault, Came came)
    {
        if (fault == MiddleFault.Garbage)
        {
            Assert.NotEqual(MiddleProxyError.None, came.Error);
            return;
        }
        var (error, end) = fault switch
        {
            MiddleFault.Silence or MiddleFault.HalfFrame => (MiddleProxyError.None, PeerEnd.Timeout),
            MiddleFault.Fin or MiddleFault.HalfFrameThenFin => (MiddleProxyError.None, PeerEnd.Fin),
            MiddleFault.Reset or MiddleFault.HalfFrameThenReset => (MiddleProxyError.None, PeerEnd.Reset),
            MiddleFault.WrongChecksum => (MiddleProxyError.WrongChecksum, PeerEnd.None),
            MiddleFault.WrongSequence => (MiddleProxyError.WrongSequence, PeerEnd.None),
            MiddleFault.UnalignedLength => (MiddleProxyError.WrongAlignment, PeerEnd.None),
            MiddleFault.ShortLength or MiddleFault.LongLength or MiddleFault.HugeLength => (MiddleProxyError.WrongLength, PeerEnd.None),
            _ => (MiddleProxyError.None, PeerEnd.None),
        };
        Assert.Equal((error, end), (came.Error, came.End));
        Assert.Equal(fault == MiddleFault.UnknownConstructor ? MiddlePayload.Unknown : [], came.Payload);
    }
}
