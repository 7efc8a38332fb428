using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Backends.Direct;

public sealed class DcConnectTests : IDisposable
{
    private readonly Stage _stage = new();

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Fact]
    public void The_next_address_is_tried_a_quarter_of_a_second_after_a_silent_one_and_the_first_through_wins()
    {
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Silence);
        var client = Greet();
        _stage.Advance(0.2);
        Assert.Equal([Stage.FirstAddress], _stage.Loop.Connects.Select(connect => connect.Address));
        _stage.Advance(0.1);
        Assert.Equal([Stage.FirstAddress, Stage.SecondAddress], _stage.Loop.Connects.Select(connect => connect.Address));
        Assert.InRange(_stage.Loop.Connects[1].AtMs - _stage.Loop.Connects[0].AtMs, 250, 300);
        Assert.True(_stage.Loop.Connects[0].IsReleased);
        Talk(client, _stage.LatestDc());
    }

    [Fact]
    public void A_late_first_address_wins_while_the_second_is_silent_too()
    {
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Silence);
        _stage.Loop.Answer(Stage.SecondAddress, ConnectAnswer.Silence);
        var client = Greet();
        _stage.Advance(9);
        _stage.Loop.Connects[0].Succeed();
        _stage.Run();
        Assert.True(_stage.Loop.Connects[1].IsReleased);
        Talk(client, new StageDc(_stage.Loop.Connects[0].Peer));
    }

    [Theory]
    [InlineData(ConnectAnswer.Refuse, "refused")]
    [InlineData(ConnectAnswer.NoSocket, "no_resources")]
    public void The_next_address_is_tried_at_once_after_a_failure(ConnectAnswer answer, string result)
    {
        _stage.Loop.Answer(Stage.FirstAddress, answer);
        var client = Greet();
        Assert.Equal(Stage.SecondAddress, _stage.Loop.Connects[^1].Address);
        Talk(client, _stage.LatestDc());
        Assert.Equal(1, _stage.Metrics.Sum("portico.dc.connect", "result", result));
        Assert.Equal(1, _stage.Metrics.Sum("portico.dc.connect", "result", "ok"));
        Assert.Equal(2, Assert.Single(_stage.Metrics.Of("portico.dc.connect.duration")).Tags["dc"]);
    }

    [Fact]
    public void A_connection_that_is_reset_before_it_was_used_is_a_failed_attempt()
    {
        _stage.Loop.Connected = connect =>
        {
            if (connect.Address.Equals(Stage.FirstAddress)) connect.Peer.Reset();
        };
        var client = Greet();
        Talk(client, _stage.LatestDc());
        Assert.Equal(2, _stage.Loop.Connects.Count);
        Assert.Equal(1, _stage.Metrics.Sum("portico.dc.connect", "result", "reset"));
    }

    [Theory]
    [InlineData(ConnectAnswer.Refuse)]
    [InlineData(ConnectAnswer.NoSocket)]
    public void When_every_address_refuses_the_client_sees_fin(ConnectAnswer answer)
    {
        _stage.Loop.Answer(Stage.FirstAddress, answer);
        _stage.Loop.Answer(Stage.SecondAddress, answer);
        var client = Greet();
        Assert.Empty(client.Payload);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        client.Peer.Finish();
        _stage.Run();
        _stage.AssertClosed("dc_connect_failed (telegram)");
    }

    [Fact]
    public void When_no_address_answers_the_client_sees_fin_after_ten_seconds_whatever_it_sends()
    {
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Silence);
        _stage.Loop.Answer(Stage.SecondAddress, ConnectAnswer.Silence);
        var client = Greet();
        for (var second = 0; second < 9; second++)
        {
            client.Say("hello?"u8);
            _stage.Advance(1);
        }

        _stage.Advance(0.9);
        Assert.Equal(PeerEnd.None, client.Peer.End);
        _stage.Advance(0.2);
        Assert.Equal(PeerEnd.Fin, client.Peer.End);
        Assert.All(_stage.Loop.Connects, connect => Assert.True(connect.IsReleased));
        _stage.Advance(5);
        _stage.AssertClosed("dc_connect_timeout (telegram)");
        Assert.Equal(2, _stage.Metrics.Sum("portico.dc.connect", "result", "timeout"));
    }

    [Fact]
    public void The_address_that_won_is_the_first_to_be_tried_next_time()
    {
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Refuse);
        Greet();
        var before = _stage.Loop.Connects.Count;
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Accept);
        Greet();
        Assert.Equal([Stage.SecondAddress], _stage.Loop.Connects.Skip(before).Select(connect => connect.Address));
    }

    [Fact]
    public void What_a_client_says_while_its_dc_is_connected_to_arrives_behind_what_it_said_before()
    {
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Silence);
        var client = _stage.Call();
        client.Peer.Send([.. client.Hello, .. client.Header, .. client.Encode("one "u8)]);
        _stage.Run();
        client.Say("two "u8);
        _stage.Run();
        client.Say("three"u8);
        _stage.Loop.Connects[0].Succeed();
        _stage.Run();
        Assert.Equal("one two three"u8.ToArray(), _stage.LatestDc().Text);
    }

    [Fact]
    public void A_client_that_resets_meanwhile_leaves_no_attempt()
    {
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Silence);
        _stage.Loop.Answer(Stage.SecondAddress, ConnectAnswer.Silence);
        var client = Greet();
        _stage.Advance(1);
        client.Peer.Reset();
        _stage.Run();
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void A_client_that_finishes_meanwhile_still_gets_its_answer()
    {
        _stage.Loop.Answer(Stage.FirstAddress, ConnectAnswer.Silence);
        var client = _stage.Call();
        client.Peer.Send([.. client.Hello, .. client.Header, .. client.Encode("question"u8)]);
        client.Peer.Finish();
        _stage.Run();
        _stage.Loop.Connects[0].Succeed();
        _stage.Run();
        var dc = _stage.LatestDc();
        Assert.Equal("question"u8.ToArray(), dc.Text);
        Assert.Equal(PeerEnd.Fin, dc.Peer.End);
        dc.Say("answer"u8);
        dc.Peer.Finish();
        _stage.Run();
        Assert.Equal("answer"u8.ToArray(), client.Text);
        _stage.AssertClosed("client_closed (client)");
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(-2, -2)]
    [InlineData(0, 2)]
    [InlineData(77, 2)]
    [InlineData(-77, 2)]
    [InlineData(-9999, 2)]
    public void An_unknown_dc_is_the_default_one_and_a_known_one_is_named_as_the_client_did(short asked, short named)
    {
        var (_, dc) = _stage.Relay(new ClientTraits { Dc = asked });
        Assert.Equal(named, dc.DcId);
        Assert.Equal(Stage.FirstAddress, _stage.Loop.Connects[^1].Address);
    }

    [Fact]
    public void A_default_dc_without_an_address_is_a_failed_connect()
    {
        using var stage = new Stage(change: settings =>
            settings with { Direct = settings.Direct with { DefaultDc = 99, Endpoints = settings.Direct.Endpoints.SetItem(2, []) } });
        foreach (var asked in new short[] { 77, 2 })
        {
            var client = stage.Call(new ClientTraits { Dc = asked });
            client.Peer.Send([.. client.Hello, .. client.Header]);
            client.Peer.Finish();
            stage.Run();
        }

        stage.AssertClosed("dc_connect_failed (telegram)", "dc_connect_failed (telegram)");
        stage.AssertNoFault();
    }

    private StageClient Greet()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        client.Peer.Send(client.Header);
        _stage.Run();
        return client;
    }

    private void Talk(StageClient client, StageDc dc)
    {
        client.Say("question"u8);
        _stage.Run();
        Assert.Equal("question"u8.ToArray(), dc.Text);
        dc.Say("answer"u8);
        _stage.Run();
        Assert.Equal("answer"u8.ToArray(), client.Text);
    }
}
