using System.Buffers.Binary;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Handshake;

/// <summary>A listener with so many users that finding out who is calling takes many turns of the loop.</summary>
public sealed class ManySecretsTests : IDisposable
{
    private const int Users = 5000;

    // Slices of a stranger's 517-byte hello: one for hints, then 5000 trials, 151 in each.
    private const int Slices = 35;

    private static readonly ProxySecret[] Secrets = [.. Enumerable.Range(0, Users).Select(SecretOf)];

    private readonly Stage _stage = OfUsers(Users);

    public void Dispose()
    {
        _stage.AssertNoFault();
        _stage.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Users / 2)]
    [InlineData(Users - 1)]
    public void Every_user_is_let_in_with_every_protocol(int user)
    {
        foreach (var (isTls, transport) in new[]
        {
            (true, Transport.Padded),
            (false, Transport.Padded),
            (false, Transport.Intermediate),
            (false, Transport.Abridged),
        })
        {
            var (client, dc) = _stage.Relay(new ClientTraits { IsTls = isTls, Transport = transport, Secret = Secrets[user] });
            client.Say("up"u8);
            dc.Say("down"u8);
            _stage.Run();
            Assert.Equal("up"u8, dc.Text);
            Assert.Equal("down"u8, client.Text);
            Assert.Equal(ObfuscatedEnd.Tag(transport), dc.Tag);
        }
    }

    [Fact]
    public void What_came_behind_hello_and_header_in_the_same_read_is_not_lost()
    {
        foreach (var isTls in new[] { true, false })
        {
            var client = _stage.Call(new ClientTraits { IsTls = isTls, Secret = Secrets[^1] });
            client.Peer.Send([.. client.Hello, .. client.Header, .. client.Encode("early"u8)]);
            _stage.Run();
            Assert.Equal("early"u8, _stage.LatestDc().Text);
        }
    }

    [Fact]
    public void A_stranger_takes_two_turns_for_each_slice_after_the_first()
    {
        using var small = OfUsers(1);
        // One to be called up in, one to try in.
        Assert.Equal(2 * (Slices - 1), TurnsOfStranger(_stage) - TurnsOfStranger(small));
    }

    [Fact]
    public void Others_are_served_between_the_slices_of_a_stranger()
    {
        var (client, dc) = _stage.Relay(new ClientTraits { Secret = Secrets[0] });
        var stranger = _stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        stranger.Peer.Send(stranger.Hello);
        var answered = 0;
        EachTurn.Watch(
            _stage.Loop,
            turn =>
            {
                if (stranger.Peer.End != PeerEnd.None) return false;
                if (turn % 4 == 1) client.Say([(byte)turn]);
                if (turn % 4 == 3) Assert.Equal(++answered, dc.Text.Length);
                return true;
            });
        _stage.Run();
        Assert.InRange(answered, (Slices / 2) - 1, (Slices / 2) + 1);
        Assert.Empty(stranger.Peer.Take());
    }

    [Fact]
    public void Two_callers_share_the_turns()
    {
        var first = _stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        var second = _stage.Call(new ClientTraits { Secret = Secrets[^1] });
        first.Peer.Send(first.Hello);
        second.Peer.Send(second.Hello);
        var turns = EachTurn.Watch(_stage.Loop, _ => first.Peer.End == PeerEnd.None || !second.HasFlight);
        _stage.Run();
        Assert.InRange(turns.Turns, 2 * (Slices - 1), (2 * Slices) + 3);
    }

    [Fact]
    public void A_hundred_strangers_at_once_take_five_slices_of_a_turn()
    {
        const int Strangers = 100, SlicesPerTurn = 5;
        var strangers = Enumerable.Range(0, Strangers).Select(_ => _stage.Call(new ClientTraits { Secret = Stage.WrongSecret })).ToList();
        foreach (var stranger in strangers) stranger.Peer.Send(stranger.Hello);
        var watch = EachTurn.Watch(_stage.Loop, _ => strangers.Any(stranger => stranger.Peer.End == PeerEnd.None));
        _stage.Run();
        Assert.All(strangers, stranger => Assert.Equal(PeerEnd.Fin, stranger.Peer.End));
        // The first slice of each comes with its bytes, the others through the queue.
        Assert.InRange(watch.Turns, Strangers * (Slices - 1) / SlicesPerTurn, (Strangers * Slices / SlicesPerTurn) + 10);
    }

    [Fact]
    public void A_user_that_comes_back_does_not_wait_behind_strangers()
    {
        _stage.Relay(new ClientTraits { Secret = Secrets[^1] });
        var strangers = Enumerable.Range(0, 20).Select(_ => _stage.Call(new ClientTraits { Secret = Stage.WrongSecret })).ToList();
        foreach (var stranger in strangers) stranger.Peer.Send(stranger.Hello);
        var client = _stage.Call(new ClientTraits { Secret = Secrets[^1] });
        client.Peer.Send(client.Hello);
        var watch = EachTurn.Watch(_stage.Loop, _ => !client.HasFlight);
        _stage.Run();
        Assert.InRange(watch.Turns, 0, 3);
    }

    [Fact]
    public void A_client_that_is_found_soon_passes_strangers_whose_trials_have_gone_on_for_longer()
    {
        var strangers = Enumerable.Range(0, 20).Select(_ => _stage.Call(new ClientTraits { Secret = Stage.WrongSecret })).ToList();
        foreach (var stranger in strangers) stranger.Peer.Send(stranger.Hello);
        var client = _stage.Call(new ClientTraits { Secret = Secrets[200] });
        var took = 0;
        At(40, () => client.Peer.Send(client.Hello)); // ten of 35 slices of each stranger
        EachTurn.Watch(
            _stage.Loop,
            turn =>
            {
                if (client.HasFlight || turn < 40) return !client.HasFlight;
                took++;
                return true;
            });
        _stage.Run();
        Assert.InRange(took, 1, 6);
    }

    [Fact]
    public void A_client_that_is_found_late_is_found_however_many_newcomers_pass_it()
    {
        const int User = 600, SlicesPerTurn = 5, SlicesPerSecret = 4;
        var client = _stage.Call(new ClientTraits { Secret = Secrets[User] });
        client.Peer.Send(client.Hello);
        var waits = 0;
        EachTurn.Watch(
            _stage.Loop,
            _ =>
            {
                // More than a turn has room for, so that there is always somebody with fewer trials.
                for (var i = 0; i < 2; i++)
                {
                    var stranger = _stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
                    stranger.Peer.Send(stranger.Hello);
                }

                return !client.HasFlight && ++waits < 1500;
            });
        _stage.Run();
        Assert.InRange(waits, User * SlicesPerSecret / SlicesPerTurn / 4, (User * SlicesPerSecret / SlicesPerTurn) + 150);
    }

    [Fact]
    public void While_trials_run_nothing_more_is_read()
    {
        var client = _stage.Call(new ClientTraits { Secret = Secrets[^1] });
        client.Peer.Send(client.Hello);
        var header = client.Header;
        At(5, () => client.Peer.Send(header));
        At(Slices - 2, () => Assert.Equal(header.Length, client.Peer.Unread));
        _stage.Run();
        Assert.True(client.HasFlight);
        Assert.True(_stage.LatestDc().IsGreeted);
    }

    [Fact]
    public void The_deadline_ends_trials()
    {
        var client = Caught(_ => _stage.Time.Advance(TimeSpan.FromSeconds(10.1)));
        Assert.Empty(client.Peer.Take());
        _stage.AssertClosed("handshake_timeout (client)");
    }

    [Fact]
    public void A_reset_ends_trials()
    {
        Caught(client => client.Peer.Reset());
        _stage.AssertClosed("client_reset (client)");
    }

    [Fact]
    public void A_stop_ends_trials()
    {
        Task? stopped = null;
        var client = Caught(_ => stopped = _stage.Proxy.StopAsync(TimeSpan.Zero));
        Assert.NotNull(stopped);
        Assert.Empty(client.Peer.Take());
        _stage.AssertClosed("shutdown (operator)");
    }

    [Fact]
    public void A_caller_that_sends_fin_behind_its_hello_is_still_answered()
    {
        var client = _stage.Call(new ClientTraits { Secret = Secrets[^1] });
        client.Peer.Send(client.Hello);
        At(5, client.Peer.Finish);
        _stage.Run();
        Assert.True(client.HasFlight);
        _stage.AssertClosed("client_closed (client)");
    }

    private static Stage OfUsers(int users) =>
        new(
            ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic,
            change: settings => settings with
            {
                Limits = settings.Limits with { StrangersPerSecond = 0 },
                Listeners = [settings.Listeners[0] with
                {
                    Credentials = [.. Secrets.Take(users).Select((secret, i) => new Credential($"user{i}", secret))],
                }],
            });

    private static ProxySecret SecretOf(int user)
    {
        var key = new byte[ProxySecret.Length];
        BinaryPrimitives.WriteInt32BigEndian(key, user);
        return ProxySecret.Create(key);
    }

    private static int TurnsOfStranger(Stage stage)
    {
        var stranger = stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
        stranger.Peer.Send(stranger.Hello);
        var turns = EachTurn.Watch(stage.Loop, _ => stranger.Peer.End == PeerEnd.None);
        stage.Run();
        return turns.Turns;
    }

    /// <summary>The last user calls, and something happens to it in the middle of its trials.</summary>
    private StageClient Caught(Action<StageClient> happens)
    {
        var client = _stage.Call(new ClientTraits { Secret = Secrets[^1] });
        client.Peer.Send(client.Hello);
        var turns = EachTurn.Watch(
            _stage.Loop,
            turn =>
            {
                if (turn == 5) happens(client);
                return _stage.Proxy.SessionCount > 0 || turn < 5;
            });
        _stage.Run();
        Assert.InRange(turns.Turns, 5, 10); // at once, and not when the trials are through
        return client;
    }

    private void At(int turn, Action act) =>
        EachTurn.Watch(
            _stage.Loop,
            now =>
            {
                if (now == turn) act();
                return now < turn;
            });
}
