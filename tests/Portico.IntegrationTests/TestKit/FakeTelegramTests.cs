using System.Security.Cryptography;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.TestKit;

/// <summary>The fakes talk to each other without a proxy: what fails behind a proxy then is the proxy's doing.</summary>
public sealed class FakeTelegramTests
{
    [Theory]
    [InlineData(Transport.Abridged)]
    [InlineData(Transport.Intermediate)]
    [InlineData(Transport.Padded)]
    public async Task A_data_centre_answers_pings_and_every_test_command(Transport transport)
    {
        await using var telegram = FakeTelegram.Start();
        await using var client = await FakeClient.ConnectAsync(
            telegram.Endpoint, new ClientProfile { Mode = ClientMode.Direct, Transport = transport, Dc = -4 });
        await client.PingAsync();
        await client.EchoAsync(1);
        await client.EchoAsync(100_001);
        await client.DownloadAsync(20, 5000);
        await client.UploadAsync(20, 5000);
        await client.CommandAsync(TestCommand.Finish);
        Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());

        var seen = Assert.Single(telegram.Connections);
        Assert.Equal((-4, transport), (seen.DcId, seen.Transport));
    }

    [Fact]
    public async Task What_nobody_understands_is_answered_with_minus_404()
    {
        await using var telegram = FakeTelegram.Start();
        await using var client = await FakeClient.ConnectAsync(telegram.Endpoint, new ClientProfile { Mode = ClientMode.Direct });
        await client.SendAsync(new byte[40]);
        var answer = await client.ReceiveAsync();
        Assert.Equal(MtprotoMessages.NotFound.ToArray(), answer);
    }

    [Fact]
    public async Task A_refusing_data_centre_lets_nobody_connect()
    {
        await using var telegram = FakeTelegram.Start(new DcBehaviour { Refuses = true });
        var error = await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => Wire.ConnectAsync(telegram.Endpoint));
        Assert.Equal(System.Net.Sockets.SocketError.ConnectionRefused, error.SocketErrorCode);
    }

    [Fact]
    public async Task A_resetting_data_centre_resets_after_the_bytes_it_was_told()
    {
        await using var telegram = FakeTelegram.Start(new DcBehaviour { ResetsAfter = 100 });
        await using var wire = await Wire.ConnectAsync(telegram.Endpoint);
        await wire.SendAsync(ClientHeader.Create(null, Transport.Intermediate, 2, out _));
        Assert.Equal((0, PeerEnd.Timeout), await wire.ReadSomeAsync(new byte[1], TimeSpan.FromMilliseconds(50)));
        await wire.SendAsync(RandomNumberGenerator.GetBytes(36));
        Assert.Equal(Received.Nothing(PeerEnd.Reset), await wire.ReadToEndAsync());
    }

    [Fact]
    public async Task A_silent_data_centre_takes_everything_and_says_nothing()
    {
        await using var telegram = FakeTelegram.Start(new DcBehaviour { IsSilent = true });
        await using var client = await FakeClient.ConnectAsync(telegram.Endpoint, new ClientProfile { Mode = ClientMode.Direct });
        await client.SendAsync(TestFrame.Create(TestCommand.Echo, new byte[8]));
        Assert.Equal(Received.Nothing(PeerEnd.Timeout), await client.ReadToEndAsync(TimeSpan.FromMilliseconds(50)));
    }
}
