using System.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Backends;

/// <summary>Which way a client goes.</summary>
public class BackendChoiceTests
{
    private static readonly IPEndPoint TestDc = IPEndPoint.Parse("149.154.167.40:443");

    [Theory]
    [InlineData(10002)]
    [InlineData(-10002)]
    public void In_middle_mode_clients_of_the_test_site_go_to_the_test_site(short dc)
    {
        using var stage = new MiddleStage { OnLink = link => link.IsMute = true };
        stage.Enter(new ClientTraits { Dc = dc });
        Assert.Equal(TestDc, Assert.Single(stage.Loop.Connects).Address);
    }

    [Theory]
    [InlineData(10005)]
    [InlineData(-10005)]
    [InlineData(short.MinValue)]
    public void A_test_data_centre_that_nobody_knows_is_no_reason_to_ask_a_real_one(short dc)
    {
        using var stage = new MiddleStage();
        var client = stage.Enter(new ClientTraits { Dc = dc });
        Assert.Empty(stage.Loop.Connects);
        Assert.True(client.IsEnded);
        client.Peer.Finish();
        stage.Run();
        stage.AssertClosed("unknown_dc (client)");
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(203)]
    public void With_media_through_middle_proxies_files_go_there_and_chats_direct(short media)
    {
        using var stage = new MiddleStage(
            change: settings => settings with { Mode = BackendMode.Direct, MediaGoesThroughMiddleProxy = true });
        stage.OnLink = link => link.IsMute = link.Remote.Equals(Stage.FirstAddress);
        stage.Enter(new ClientTraits { Dc = 2 });
        Assert.Equal(Stage.FirstAddress, Assert.Single(stage.Loop.Connects).Address);
        var client = stage.Enter(new ClientTraits { Dc = media });
        client.Send([1, 2, 3, 4]);
        stage.Run();
        Assert.Equal([1, 2, 3, 4], Assert.Single(stage.Links[^1].Requests).Packet);
    }

    [Fact]
    public void Media_go_the_way_of_chats_unless_asked_otherwise()
    {
        using var stage = new MiddleStage(change: settings => settings with { Mode = BackendMode.Direct });
        stage.OnLink = link => link.IsMute = true;
        stage.Enter(new ClientTraits { Dc = -2 });
        Assert.Equal(Stage.FirstAddress, Assert.Single(stage.Loop.Connects).Address);
    }

    [Fact]
    public void User_32768_is_served_with_its_own_ad_tag()
    {
        const int number = 32_768;
        Assert.True(AdTag.TryParse("0123456789abcdef0123456789abcdef", out var tag));
        var users = Enumerable.Range(0, number)
            .Select(i => new Credential($"user{i}", ProxySecret.Create(BitConverter.GetBytes(i).Concat(new byte[12]).ToArray())))
            .Append(new Credential("last", Stage.Secret, tag));
        using var stage = new MiddleStage(
            change: settings => settings with { Listeners = [settings.Listeners[0] with { Credentials = [.. users] }] });
        var (client, link, id) = stage.Introduce(new ClientTraits { IsTls = false, Transport = Transport.Intermediate });
        Assert.Equal(
            RpcProxyReqFlags.For(Transport.Intermediate, hasAdTag: true, isEncrypted: false, quickAck: false),
            link.Requests[^1].Flags);
        link.Answer(id, [1, 2, 3, 4]);
        stage.Run();
        Assert.Equal([1, 2, 3, 4], Assert.Single(client.Packets));
        stage.Stage.AssertNoFault();
    }
}
