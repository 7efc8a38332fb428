using System.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;
using Portico.Core.Tests.Staging;
using Portico.Protocol;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>How links come about, and what clients see while they do not.</summary>
public sealed class LinkSetUpTests : IDisposable
{
    // Its address is that of no other data centre.
    private static readonly IPEndPoint KeptDc = EmbeddedConfig.V4.Endpoints(4).First();

    private readonly MiddleStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Theory]
    [InlineData(true, Transport.Padded)]
    [InlineData(false, Transport.Padded)]
    [InlineData(false, Transport.Intermediate)]
    [InlineData(false, Transport.Abridged)]
    public void What_came_with_the_header_is_the_first_request(bool isTls, Transport transport)
    {
        var traits = new ClientTraits { IsTls = isTls, Transport = transport };
        var client = new MiddleClient(_stage.Stage.Call(traits), transport);
        client.Peer.Send(
            [.. client.Inner.Hello, .. client.Inner.Header, .. client.Encode([1, 2, 3, 4, 5, 6, 7, 8]), .. client.Encode(new byte[2000])]);
        _stage.Run();
        var link = Assert.Single(_stage.Links);
        Assert.Equal([8, 2000], link.Requests.Select(request => request.Packet.Length));
        link.Answer(link.Requests[0].Id, new byte[40_000]);
        link.CloseExt(link.Requests[0].Id);
        _stage.Run();
        Assert.Equal(40_000, Assert.Single(client.Packets).Length);
        Assert.True(client.IsEnded);
        client.Peer.Finish();
        _stage.Run();
        Assert.Empty(link.Farewells);
        _stage.AssertClosed("dc_closed (telegram)");
    }

    [Fact]
    public void Clients_wait_five_seconds_for_a_first_link()
    {
        _stage.Loop.Answer(StageLink.Address, ConnectAnswer.Silence);
        var client = _stage.Enter();
        _stage.Advance(4.9);
        Assert.False(client.IsEnded);
        _stage.Advance(0.2);
        Assert.True(client.IsEnded);
        client.Peer.Finish();
        _stage.Run();
        _stage.AssertClosed("pool_empty (telegram)");
    }

    [Fact]
    public void A_new_list_whose_links_cannot_be_opened_for_a_bug_of_ours_ends_nothing_else()
    {
        using var stage = new MiddleStage(change: settings => settings with { Middle = settings.Middle with { InitialConnections = 1 } });
        var (client, link, id) = stage.Rest();
        stage.Loop.Connected = _ => throw new TimeZoneNotFoundException();
        stage.PublishFor(7, new IPEndPoint(IPAddress.Parse("149.154.162.1"), 8888));
        stage.Loop.Connected = null;
        Assert.Single(stage.Stage.Log.Errors, line => line.EventName == "PoolFaulted");
        link.Answer(id, new byte[1000]);
        stage.Run();
        Assert.Equal(1000, client.Packets[^1].Length);
        Assert.Empty(stage.Metrics.Closed);
    }

    [Fact]
    public void Clients_that_waited_for_a_first_link_share_it()
    {
        _stage.Loop.Answer(StageLink.Address, ConnectAnswer.Silence);
        var clients = Enumerable.Range(0, 20).Select(_ => _stage.Enter()).ToList();
        foreach (var client in clients) client.Send(new byte[8]);
        _stage.Advance(3);
        Assert.Single(_stage.Loop.Connects, connect => connect.Address.Equals(StageLink.Address)).Succeed();
        _stage.Run();
        Assert.Equal(20, _stage.Links[0].Requests.DistinctBy(request => request.Id).Count());
    }

    [Fact]
    public void A_client_that_vanishes_while_it_waits_is_let_go_at_once()
    {
        _stage.Loop.Answer(StageLink.Address, ConnectAnswer.Silence);
        var client = _stage.Enter();
        client.Peer.Reset();
        _stage.Run();
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void Attempts_to_connect_come_at_growing_intervals_from_a_third_of_a_second_to_half_a_minute()
    {
        using var stage = new MiddleStage(change: WithInitialConnections);
        stage.Loop.Answer(KeptDc, ConnectAnswer.Refuse);
        foreach (var link in stage.Links.Where(IsKept)) link.Reset();
        stage.Advance(150);
        // Two links are wanted: attempts come in pairs, and a pair is one attempt.
        var rounds = stage.Links.Where(IsKept).Select(link => link.BegunMs).Distinct().ToList();
        var pauses = rounds.Zip(rounds.Skip(1), (one, next) => next - one).ToList();
        Assert.InRange(pauses.Count, 7, 18);
        for (var i = 0; i < pauses.Count; i++)
        {
            var longest = Math.Min(300L << i, 30_000);
            Assert.InRange(pauses[i], longest / 2, longest + 100);
        }

        // One at once, one a minute, with cause and count.
        var warnings = stage.Stage.Log.Lines.Where(line => line.EventName == "MiddleProxyUnreachable").ToList();
        Assert.InRange(warnings.Count, 2, 3);
        Assert.All(warnings, warning => Assert.Contains("8888: connection refused)", warning.Text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_server_that_hangs_up_as_soon_as_a_link_is_ready_is_not_called_without_a_pause()
    {
        using var stage = new MiddleStage(change: WithInitialConnections);
        for (var tenths = 0; tenths < 100; tenths++)
        {
            foreach (var link in stage.OpenLinks.Where(IsKept).ToList()) link.Finish();
            stage.Advance(0.1);
        }

        Assert.InRange(stage.Links.Count(IsKept), 8, 16);
    }

    [Fact]
    public void A_link_that_is_not_ready_after_four_seconds_is_given_up()
    {
        _stage.OnLink = link => link.IsMute = true;
        _stage.Enter();
        _stage.Advance(3.9);
        Assert.True(_stage.Links[0].IsOpen);
        _stage.Advance(0.2);
        Assert.False(_stage.Links[0].IsOpen);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 1)]
    [InlineData(1, 45)]
    [InlineData(1, 46)]
    [InlineData(3, 47)]
    [InlineData(4, 46)]
    [InlineData(4, 49)]
    [InlineData(5, 48)]
    public void The_set_up_survives_every_cut_inside_the_plain_padding_too(int paddingWords, int pieceLength)
    {
        _stage.OnLink = link => (link.PaddingWords, link.PieceLength, link.AfterEachPiece) = (paddingWords, pieceLength, _stage.Stage.Run);
        var (client, link, id) = _stage.Introduce();
        link.Answer(id, [1, 2, 3, 4]);
        _stage.Run();
        Assert.Equal([1, 2, 3, 4], Assert.Single(client.Packets));
        Assert.Single(_stage.Links);
    }

    [Fact]
    public void A_full_link_gets_company_but_not_while_attempts_must_wait()
    {
        using var stage = new MiddleStage(change: settings => settings with { Middle = settings.Middle with { ClientsPerConnection = 2 } });
        stage.Enter();
        stage.Enter();
        Assert.Single(stage.Links);
        stage.Loop.Answer(StageLink.Address, ConnectAnswer.Refuse);
        for (var i = 0; i < 20; i++) stage.Enter();
        // two more in one go, refused; the rest of the clients cause none
        Assert.Equal(3, stage.Links.Count(link => link.Remote.Equals(StageLink.Address)));
        Assert.DoesNotContain(stage.Stage.Log.Lines, line => line.EventName == "MiddleProxyUnreachable");
        Assert.Equal(22, stage.Metrics.Observe("portico.dc.clients"));
    }

    private static bool IsKept(StageLink link) => link.Remote.Equals(KeptDc);

    private static ProxySettings WithInitialConnections(ProxySettings settings) =>
        settings with { Middle = settings.Middle with { InitialConnections = 2 } };
}
