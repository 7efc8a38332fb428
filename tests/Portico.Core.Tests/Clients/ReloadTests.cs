using System.Net;
using System.Text;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Clients;

public sealed class ReloadTests : IDisposable
{
    private static readonly ProxySecret Fresh = ProxySecret.Create("a fresh secret 1"u8);

    private readonly Stage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public void A_session_goes_on_when_something_else_changes()
    {
        var (client, dc) = _stage.Relay();

        Reload(settings => settings with { Timeouts = settings.Timeouts with { Idle = TimeSpan.FromSeconds(60) } });

        client.Say("up"u8);
        _stage.Run();
        Assert.EndsWith("up", Encoding.ASCII.GetString(dc.Text), StringComparison.Ordinal);
        Assert.Empty(_stage.Metrics.Closed);
        Assert.Equal(TimeSpan.FromSeconds(60), _stage.Proxy.Settings.Timeouts.Idle);
    }

    [Fact]
    public void New_sessions_go_by_the_new_settings_and_old_ones_by_theirs()
    {
        _stage.Relay();
        Reload(settings => settings with { Timeouts = settings.Timeouts with { Idle = TimeSpan.FromSeconds(60) } });
        _stage.Relay();

        _stage.Advance(90);

        Assert.Equal(["idle_timeout (client)"], _stage.Metrics.Closed);
        _stage.Advance(1200);
        _stage.AssertClosed("idle_timeout (client)", "idle_timeout (client)");
    }

    [Fact]
    public void A_session_whose_secret_is_removed_ends_and_those_of_other_users_do_not()
    {
        Reload(With(new Credential("default", Stage.Secret), new Credential("bob", Fresh)));
        _stage.Relay();
        _stage.Relay(new ClientTraits { Secret = Fresh });

        Reload(With(new Credential("default", Stage.Secret)));

        Assert.Equal(["secret_removed (operator)"], _stage.Metrics.Closed);
        var late = _stage.Call(new ClientTraits { Secret = Fresh });
        late.Peer.Send(late.Hello);
        _stage.Run();
        Assert.False(late.HasFlight);
    }

    [Fact]
    public void A_user_with_a_new_name_keeps_the_session()
    {
        _stage.Relay();
        Reload(With(new Credential("renamed", Stage.Secret)));
        Assert.Empty(_stage.Metrics.Closed);
    }

    [Fact]
    public void A_secret_that_came_with_a_reload_opens_the_door()
    {
        Reload(With(new Credential("default", Stage.Secret), new Credential("bob", Fresh)));
        _stage.Relay(new ClientTraits { Secret = Fresh });
        Assert.Equal(1, _stage.Listener.Users.Find(Fresh, _stage.Loop.UnixSeconds)!.Connections);
    }

    [Fact]
    public void A_former_secret_works_until_its_time_and_its_sessions_end_then()
    {
        var until = _stage.Time.GetUtcNow() + TimeSpan.FromHours(2);
        Reload(With(new Credential("default", Fresh), new Credential("default", Stage.Secret, Until: until)));
        _stage.Relay();
        _stage.Relay(new ClientTraits { Secret = Fresh });
        _stage.Advance(600);
        Assert.Empty(_stage.Metrics.Closed);

        for (var minute = 0; minute < 112; minute++)
        {
            KeepAwake();
            _stage.Advance(60);
        }

        Assert.Equal(["secret_removed (operator)"], _stage.Metrics.Closed);
        var late = _stage.Call();
        late.Peer.Send(late.Hello);
        _stage.Run();
        Assert.False(late.HasFlight);

        // Every session has a byte, or the idle limit would end them first.
        void KeepAwake()
        {
            foreach (var connect in _stage.Loop.Connects) connect.Peer.Send("x"u8);
            _stage.Run();
        }
    }

    [Fact]
    public void A_client_in_the_middle_of_its_handshake_does_not_slip_in_with_a_removed_secret()
    {
        var client = _stage.Call();
        client.Peer.Send(client.Hello.AsSpan(0, 100));
        _stage.Run();

        Reload(With(new Credential("default", Fresh)));
        client.Peer.Send(client.Hello.AsSpan(100));
        _stage.Run();

        Assert.False(client.HasFlight);
        _stage.Advance(10);
        Assert.Equal(["secret_removed (operator)"], _stage.Metrics.Closed);
    }

    [Fact]
    public void A_listener_that_is_added_serves_and_one_that_is_removed_ends_with_its_sessions()
    {
        var second = _stage.Proxy.Settings.Listeners[0] with
        {
            Name = "second",
            Address = IPEndPoint.Parse("127.0.0.2:4711"),
            Credentials = [new Credential("bob", Fresh)],
        };
        Reload(settings => settings with { Listeners = [.. settings.Listeners, second] });
        Assert.Equal(2, _stage.Proxy.Endpoints.Length);
        _stage.Relay();
        CallSecond();

        Reload(settings => settings with { Listeners = [settings.Listeners[0]] });

        Assert.Equal(["listener_removed (operator)"], _stage.Metrics.Closed);
        Assert.Throws<InvalidOperationException>(() => _stage.Engine.Call(listener: 1));
        Assert.Single(_stage.Proxy.Endpoints);
    }

    [Fact]
    public void A_listener_without_a_name_of_its_own_stays_itself_when_the_one_before_it_goes()
    {
        var first = _stage.Proxy.Settings.Listeners[0];
        var second = first with
        {
            Name = "listener-2",
            Address = IPEndPoint.Parse("127.0.0.2:4711"),
            Credentials = [new("default", Fresh)],
        };
        Reload(settings => settings with { Listeners = [first, second] });
        var client = CallSecond();

        Reload(settings => settings with { Listeners = [second with { Name = "main" }] });

        client.Say("up"u8);
        _stage.Run();
        Assert.Empty(_stage.Metrics.Closed);
        Assert.Throws<InvalidOperationException>(() => _stage.Engine.Call(listener: 0));
        _stage.Engine.Call(listener: 1);
    }

    [Fact]
    public void A_listener_with_another_name_keeps_its_sessions()
    {
        _stage.Relay();
        Reload(settings => settings with { Listeners = [settings.Listeners[0] with { Name = "renamed" }] });
        Assert.Empty(_stage.Metrics.Closed);
        Assert.Equal(1, _stage.Listener.Users.All.First().Connections);
    }

    [Fact]
    public async Task An_address_on_the_port_of_a_listener_of_ours_is_refused_in_words()
    {
        var listener = _stage.Proxy.Settings.Listeners[0] with { Address = IPEndPoint.Parse("127.0.0.3:443") };
        Reload(settings => settings with { Listeners = [listener] });
        _stage.Engine.Taken = IPEndPoint.Parse("0.0.0.0:443");
        var problem = await Assert.ThrowsAsync<ListenException>(() => _stage.Proxy.ReloadAsync(
            _stage.Proxy.Settings with { Listeners = [listener with { Address = _stage.Engine.Taken }] }));
        Assert.Contains("needs a restart", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lower_limit_per_address_counts_for_those_that_are_there_when_the_next_one_comes()
    {
        Reload(settings => settings with { Limits = settings.Limits with { CountsLoopback = true } });
        for (var i = 0; i < 5; i++) _stage.CallRaw();
        _stage.Run();
        Reload(settings => settings with { Limits = settings.Limits with { UnauthenticatedPerAddress = 2 } });
        _stage.CallRaw();
        _stage.Run();
        Assert.Equal(4, _stage.Metrics.Closed.Count());
    }

    [Fact]
    public void A_judge_that_asks_the_same_goes_on_and_remembers_whose_secrets_were_right()
    {
        var judge = _stage.Services.Judges[0];
        Reload(settings => settings with { Timeouts = settings.Timeouts with { Idle = TimeSpan.FromSeconds(60) } });
        Assert.Same(judge, _stage.Services.Judges[0]);
        Reload(With(new Credential("default", Stage.Secret), new Credential("bob", Fresh)));
        Assert.NotSame(judge, _stage.Services.Judges[0]);
    }

    [Fact]
    public async Task An_address_that_cannot_be_had_changes_nothing_at_all()
    {
        _stage.Relay();
        var before = _stage.Proxy.Settings;
        _stage.Engine.Taken = IPEndPoint.Parse("127.0.0.3:443");
        var free = before.Listeners[0] with { Name = "free", Address = IPEndPoint.Parse("127.0.0.2:443") };
        var taken = before.Listeners[0] with { Name = "taken", Address = _stage.Engine.Taken };

        await Assert.ThrowsAsync<ListenException>(() => _stage.Proxy.ReloadAsync(
            before with { Listeners = [free, taken], Timeouts = before.Timeouts with { Idle = TimeSpan.FromSeconds(1) } }));
        _stage.Run();

        Assert.Same(before, _stage.Proxy.Settings);
        Assert.Single(_stage.Proxy.Endpoints);
        Assert.Throws<InvalidOperationException>(() => _stage.Engine.Call(listener: 1)); // the free one was closed again
        _stage.Relay();
        Assert.Empty(_stage.Metrics.Closed);
    }

    [Fact]
    public async Task What_needs_a_start_is_refused()
    {
        var settings = _stage.Proxy.Settings;
        await Assert.ThrowsAsync<ArgumentException>(() => _stage.Proxy.ReloadAsync(settings with { Loops = 7 }));
        await Assert.ThrowsAsync<ArgumentException>(() => _stage.Proxy.ReloadAsync(settings with { Engine = EngineKind.Sockets }));
        await Assert.ThrowsAsync<ArgumentException>(() => _stage.Proxy.ReloadAsync(settings with { DataDirectory = "elsewhere" }));
    }

    [Fact]
    public void A_lower_limit_refuses_newcomers_and_ends_nobody()
    {
        _stage.Relay();
        _stage.Relay();
        Reload(settings => settings with { Listeners = [settings.Listeners[0] with { MaxConnections = 1 }] });
        Assert.Empty(_stage.Metrics.Closed);

        var client = _stage.Call();
        client.Peer.Send(client.Hello);
        _stage.Run();
        Assert.False(client.HasFlight);
        _stage.Advance(10);
        Assert.Equal(["connection_limit (operator)"], _stage.Metrics.Closed);
    }

    [Fact]
    public void A_cover_that_came_with_a_reload_is_what_strangers_see()
    {
        Reload(Stage.WithCover());
        var stranger = _stage.CallRaw();
        stranger.Send("GET / HTTP/1.1\r\n"u8);
        _stage.Run();
        Assert.NotEmpty(_stage.Covers);
    }

    [Fact]
    public async Task A_proxy_that_stops_is_not_reloaded_any_more()
    {
        var settings = _stage.Proxy.Settings;
        var stopping = _stage.Proxy.StopAsync(TimeSpan.Zero);
        _stage.Run();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _stage.Proxy.ReloadAsync(settings));
        _stage.Run();
        await stopping;
    }

    /// <summary>Untouched sessions live through any number of changes, and nothing of the past is kept.</summary>
    [Fact]
    public void Hundreds_of_changes_leave_a_session_alone_and_no_trace()
    {
        var random = new Random(5);
        var (client, dc) = _stage.Relay();
        for (var i = 0; i < 300; i++)
        {
            Reload(With([
                new Credential("default", Stage.Secret),
                .. Enumerable.Range(0, random.Next(5))
                    .Select(n => new Credential($"u{n}", ProxySecret.Create(Guid.NewGuid().ToByteArray()))),
            ]));
            if (random.Next(10) != 0) continue;
            client.Say("up"u8);
            _stage.Run();
            Assert.EndsWith("up", Encoding.ASCII.GetString(dc.Text), StringComparison.Ordinal);
        }

        Assert.Empty(_stage.Metrics.Closed);
        Assert.True(_stage.Listener.Users.Count <= 5);
    }

    // A client with the fresh secret that relays through the second listener.
    private StageClient CallSecond()
    {
        var peer = _stage.Engine.Call(listener: 1);
        var client = new StageClient(peer, _stage.Time.GetUtcNow().ToUnixTimeSeconds(), new ClientTraits { Secret = Fresh });
        peer.Send(client.Hello);
        _stage.Run();
        Assert.True(client.HasFlight);
        peer.Send(client.Header);
        _stage.Run();
        return client;
    }

    private static Func<ProxySettings, ProxySettings> With(params Credential[] credentials) =>
        settings => settings with { Listeners = [settings.Listeners[0] with { Credentials = [.. credentials] }] };

    private void Reload(Func<ProxySettings, ProxySettings> change)
    {
        var reloading = _stage.Proxy.ReloadAsync(change(_stage.Proxy.Settings));
        _stage.Run();
        Assert.True(reloading.IsCompletedSuccessfully, reloading.Exception?.ToString());
    }
}
