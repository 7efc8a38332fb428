using System.Net;
using Portico.Core.Tests.Staging;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Backends.MiddleProxy;

/// <summary>Some addresses of a data centre's middle proxies do not work: no client waits for these longer than a second.</summary>
public sealed class LinkRaceTests : IDisposable
{
    private static readonly IPEndPoint Dead = IPEndPoint.Parse("192.0.2.11:8888"), Alive = IPEndPoint.Parse("192.0.2.12:8888");
    private static readonly IPEndPoint AlsoDead = IPEndPoint.Parse("192.0.2.13:8888"), AliveV6 = IPEndPoint.Parse("[2001:db8::12]:8888");

    private readonly MiddleStage _stage = new();

    public enum Death
    {
        Swallowing,
        Refusing,
        Mute,
        HangingUp,
    }

    public void Dispose() => _stage.Dispose();

    [Theory]
    [InlineData(Death.Swallowing)]
    [InlineData(Death.Refusing)]
    [InlineData(Death.Mute)]
    [InlineData(Death.HangingUp)]
    public void With_one_address_of_two_dead_no_client_waits_longer_than_a_second(Death death)
    {
        // Which one is tried first is chance.
        for (var start = 0; start < 10; start++)
        {
            using var stage = new MiddleStage();
            Kill(stage, death);
            stage.Publish(Dead, Alive);
            AssertServed(stage);
            for (var rotation = 0; rotation < 5; rotation++)
            {
                stage.Advance(12);
                foreach (var link in stage.OpenLinks.ToList()) link.Finish();
                stage.Run();
                AssertServed(stage);
            }
        }
    }

    [Theory]
    [InlineData(Death.Swallowing)]
    [InlineData(Death.Mute)]
    public void With_a_dead_family_the_other_one_serves_within_a_second(Death death)
    {
        Kill(_stage, death);
        _stage.Publish(Dead, AlsoDead, AliveV6);
        AssertServed(_stage);
        Assert.Equal(AliveV6, Assert.Single(_stage.OpenLinks).Remote);
    }

    [Fact]
    public void An_address_that_failed_is_left_alone_while_another_works()
    {
        Kill(_stage, Death.Refusing);
        _stage.Publish(Dead, Alive);
        for (var rotation = 0; rotation < 30; rotation++)
        {
            AssertServed(_stage);
            _stage.Advance(12);
            foreach (var link in _stage.OpenLinks.ToList()) link.Finish();
            _stage.Run();
        }

        Assert.InRange(_stage.Loop.Connects.Count(connect => connect.Address.Equals(Dead)), 0, 1);
    }

    [Fact]
    public void While_nothing_answers_attempts_are_few()
    {
        Kill(_stage, Death.Swallowing);
        _stage.Publish(Dead, AlsoDead);
        _stage.Enter();
        _stage.Advance(4.9);
        Assert.InRange(_stage.Loop.Connects.Count, 2, 6);
    }

    [Fact]
    public void A_list_that_no_longer_names_a_data_centre_ends_who_waits_for_it_and_asks_no_other()
    {
        var (client, link, _) = _stage.Rest();
        _stage.Advance(3);
        _stage.PublishFor(4, Alive);
        var before = _stage.Loop.Connects.Count;
        link.Finish();
        _stage.Run();
        Assert.True(client.IsEnded);
        Assert.Equal(["unknown_dc (client)"], _stage.Metrics.Closed);
        Assert.Equal("not_found", Assert.Single(_stage.Metrics.Of("portico.migrations")).Tags["result"]);
        Assert.Equal(before, _stage.Loop.Connects.Count);
    }

    [Fact]
    public void Links_that_are_closed_right_after_the_key_exchange_are_one_warning_that_names_our_address()
    {
        var lookUps = 0;
        _stage.Stage.Proxy.Services.MiddleProxyHealth.LookUp = () => lookUps++;
        Kill(_stage, Death.HangingUp);
        _stage.Publish(Dead, AlsoDead);
        _stage.Enter();
        _stage.Advance(60);
        var warning = Assert.Single(_stage.Stage.Log.Lines, line => line.EventName == "LinksRefused");
        Assert.Contains(StageLink.External.ToString(), warning.Text, StringComparison.Ordinal);
        Assert.True(lookUps > 0);
    }

    [Fact]
    public void A_stalled_attempt_keeps_nobody_waiting_while_the_address_that_works_rests_after_an_early_end()
    {
        for (var round = 0; round < 10; round++)
        {
            using var stage = new MiddleStage();
            Kill(stage, Death.Mute);
            stage.Publish(Dead, Alive);
            AssertServed(stage);
            stage.Advance(0.3);
            Assert.Single(stage.OpenLinks).Finish();
            stage.Run();
            AssertServed(stage);
        }
    }

    [Fact]
    public void An_address_whose_links_die_young_again_and_again_keeps_nobody_waiting()
    {
        _stage.Publish(Alive);
        for (var round = 0; round < 8; round++)
        {
            AssertServed(_stage);
            Assert.Single(_stage.OpenLinks).Finish();
            _stage.Run();
        }
    }

    private static void Kill(MiddleStage stage, Death death)
    {
        foreach (var address in new[] { Dead, AlsoDead })
        {
            if (death == Death.Swallowing) stage.Loop.Answer(address, ConnectAnswer.Silence);
            else if (death == Death.Refusing) stage.Loop.Answer(address, ConnectAnswer.Refuse);
        }

        stage.OnLink = link =>
        {
            if (!link.Remote.Equals(Dead) && !link.Remote.Equals(AlsoDead)) return;
            if (death == Death.Mute) link.IsMute = true;
            if (death == Death.HangingUp) link.Finish();
        };
    }

    private static void AssertServed(MiddleStage stage)
    {
        var client = stage.Enter();
        client.Send([1, 2, 3, 4]);
        stage.Advance(0.9);
        var link = Assert.Single(stage.OpenLinks, link => link.Requests.Count > 0);
        link.Answer(link.Requests[^1].Id, [5, 6, 7, 8]);
        stage.Run();
        Assert.Equal([5, 6, 7, 8], Assert.Single(client.Packets));
        client.Peer.Finish();
        stage.Run();
    }
}
