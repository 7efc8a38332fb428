using System.Net;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Core.Users;
using Portico.Core.Web;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;
using static Portico.Core.Tests.Web.WebStage;
using static Portico.TestKit.Web.AppFrame;

namespace Portico.Core.Tests.Web;

public sealed class WebSessionsTests
{
    private static readonly ProxySecret NewSecret = ProxySecret.Create("the next secret."u8);

    [Fact]
    public void A_page_creates_one_session_however_often_it_asks()
    {
        using var stage = new WebStage();
        var page = stage.Read(stage.Gate.Sessions.NewPage(stage.Secure)!);

        var first = stage.Gate.Sessions.Create(page, AppAddress);
        var again = stage.Gate.Sessions.Create(page, AppAddress);

        Assert.NotNull(first.Token);
        Assert.Equal(first, again);
        Assert.Equal(1, stage.Gate.Sessions.Count);
    }

    [Fact]
    public void After_its_session_has_ended_a_page_is_good_for_nothing()
    {
        using var stage = new WebStage();
        var page = stage.Read(stage.Gate.Sessions.NewPage(stage.Secure)!);
        var session = stage.Read(stage.Gate.Sessions.Create(page, AppAddress).Token!);
        stage.Stage.Run();
        _ = stage.Gate.Sessions.Find(session)!.EndAsync(WebEnd.Deleted);
        stage.Stage.Run();

        Assert.Equal(default, stage.Gate.Sessions.Create(page, AppAddress));
        Assert.Null(stage.Gate.Sessions.Find(session));
        Assert.True(stage.Gate.Sessions.HasEnded(session));
        stage.Stage.Advance(121);
        Assert.False(stage.Gate.Sessions.HasEnded(session));
    }

    [Fact]
    public void A_page_is_good_for_two_minutes()
    {
        using var stage = new WebStage();
        var page = stage.Read(stage.Gate.Sessions.NewPage(stage.Secure)!);
        stage.Stage.Advance(119);
        var inTime = stage.Read(stage.Gate.Sessions.NewPage(stage.Secure)!);

        stage.Stage.Advance(2);

        Assert.Equal(default, stage.Gate.Sessions.Create(page, AppAddress));
        Assert.NotNull(stage.Gate.Sessions.Create(inTime, AppAddress).Token);
    }

    [Fact]
    public void Too_many_pages_of_one_user_are_not_shown_and_a_second_brings_one_back()
    {
        using var stage = new WebStage();

        var shown = Enumerable.Range(0, 30).Count(_ => stage.Gate.Sessions.NewPage(stage.Secure) is not null);
        stage.Stage.Advance(1);

        Assert.Equal(20, shown);
        Assert.NotNull(stage.Gate.Sessions.NewPage(stage.Classic)); // of the same user
        Assert.Null(stage.Gate.Sessions.NewPage(stage.Classic));
    }

    [Fact]
    public void A_reload_is_no_new_beginning_for_who_asks_too_often()
    {
        using var stage = new WebStage();
        while (stage.Gate.Sessions.NewPage(stage.Secure) is not null)
        {
        }

        stage.Reload(listener => listener with
        {
            Credentials = [.. listener.Credentials, new Credential("new", NewSecret)],
        });

        Assert.Null(stage.Gate.Sessions.NewPage(stage.Gate.Users[0]));
        Assert.NotNull(stage.Gate.Sessions.NewPage(stage.Gate.Users[2]));
    }

    [Fact]
    public void Too_many_pages_of_all_users_together_are_not_shown_either()
    {
        using var stage = new WebStage(settings => settings with
        {
            Listeners =
            [
                settings.Listeners[0] with
                {
                    Credentials = [.. Enumerable.Range(0, 150).Select(user => new Credential($"user{user}", SecretOf(user)))],
                },
            ],
        });

        var shown = stage.Gate.Users.Sum(user => Enumerable.Range(0, 9).Count(_ => stage.Gate.Sessions.NewPage(user) is not null));
        stage.Stage.Advance(0.1);
        var again = stage.Gate.Users.Count(user => stage.Gate.Sessions.NewPage(user) is not null);

        Assert.Equal(2560, shown);
        Assert.InRange(again, 1, 20);

        static ProxySecret SecretOf(int user) => ProxySecret.Create([.. "the many secrets"u8[..15], (byte)user]);
    }

    [Fact]
    public void Sessions_over_the_limit_are_refused_for_now_and_their_page_stays_good()
    {
        using var stage = new WebStage(settings => settings with
        {
            Listeners = [settings.Listeners[0] with { MaxConnections = 4 }],
        });
        var entry = stage.Create();
        var page = stage.Read(stage.Gate.Sessions.NewPage(stage.Secure)!);

        var refused = stage.Gate.Sessions.Create(page, AppAddress);
        _ = entry.EndAsync(WebEnd.Deleted);
        stage.Stage.Run();

        Assert.Equal(new WebCreation(null, IsOverLimit: true), refused);
        Assert.NotNull(stage.Gate.Sessions.Create(page, AppAddress).Token);
    }

    [Fact]
    public void A_reload_of_the_limit_counts_for_sessions_and_streams_at_once()
    {
        using var stage = new WebStage(settings => settings with
        {
            Listeners = [settings.Listeners[0] with { MaxConnections = 4 }],
        });
        var entry = stage.Create();
        stage.Done(entry.PostAsync(1, null, Sequence([.. Enumerable.Range(1, 6).Select(id => Open((uint)id))])));
        Assert.Equal(4, entry.Session.Streams);

        stage.Reload(listener => listener with { MaxConnections = 8 });
        stage.Create();
        stage.Done(entry.PostAsync(2, null, Sequence([.. Enumerable.Range(7, 6).Select(id => Open((uint)id))])));

        Assert.Equal(8, entry.Session.Streams);
        stage.Reload(listener => listener with { MaxConnections = 2 });
        Assert.Equal(2, stage.Gate.Sessions.Count);
        Assert.True(stage.Gate.Sessions.Create(stage.Read(stage.Gate.Sessions.NewPage(stage.Secure)!), AppAddress).IsOverLimit);
    }

    [Fact]
    public void Streams_that_say_nothing_are_bounded_over_all_sessions()
    {
        using var stage = new WebStage(settings => settings with
        {
            Listeners = [settings.Listeners[0] with { MaxConnections = 8 }],
        });
        var (one, other) = (stage.Create(), stage.Create());

        stage.Done(one.PostAsync(1, null, Sequence([.. Enumerable.Range(1, 6).Select(id => Open((uint)id))])));
        stage.Done(other.PostAsync(1, null, Sequence([.. Enumerable.Range(1, 6).Select(id => Open((uint)id))])));
        var refused = Frames(stage.Done(other.AskAsync(0, null, default)).Batch);
        stage.Done(one.PostAsync(2, null, Sequence(Close(1))));
        _ = one.EndAsync(WebEnd.Deleted);
        stage.Done(other.PostAsync(2, null, Sequence([.. Enumerable.Range(7, 6).Select(id => Open((uint)id))])));

        Assert.Equal([3u, 4u, 5u, 6u], refused.Select(frame => frame.Type == WebFrameType.Close ? frame.Stream : 0));
        Assert.Equal(8, other.Session.Streams);
        Assert.Equal(4, stage.Stage.Metrics.Of("portico.web.refused").Count(it => Equals(it.Tags["reason"], "streams")));
    }

    [Fact]
    public void Streams_over_what_one_session_may_have_are_counted()
    {
        using var stage = new WebStage();
        var entry = stage.Create();

        stage.Done(entry.PostAsync(1, null, Sequence([.. Enumerable.Range(1, 258).Select(id => Open((uint)id))])));

        Assert.Equal(256, entry.Session.Streams);
        Assert.Equal(2, stage.Stage.Metrics.Of("portico.web.refused").Count(it => Equals(it.Tags["reason"], "streams")));
    }

    [Fact]
    public void While_memory_is_full_no_page_is_shown_and_no_session_begins()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var page = stage.Read(stage.Gate.Sessions.NewPage(stage.Secure)!);
        stage.Stage.Loop.Memory.Publish(MemoryLevel.Full, isShort: true, share: 4096);

        Assert.Null(stage.Gate.Sessions.NewPage(stage.Secure));
        Assert.Equal(new WebCreation(null, IsOverLimit: true), stage.Gate.Sessions.Create(page, AppAddress));
        Assert.Equal(["memory", "memory"], stage.Stage.Metrics.Of("portico.web.refused").Select(it => it.Tags["reason"]));
        stage.Stage.Loop.Memory.Publish(MemoryLevel.Shedding, isShort: true, share: 4096);

        Assert.NotNull(stage.Gate.Sessions.Create(page, AppAddress).Token);
        Assert.Null(entry.Session.Ended);
    }

    [Fact]
    public void While_the_proxy_drains_pages_create_nothing_for_now()
    {
        using var stage = new WebStage();
        var page = stage.Read(stage.Gate.Sessions.NewPage(stage.Secure)!);

        _ = stage.Gate.Sessions.DrainAsync(TimeSpan.FromSeconds(8));

        Assert.Equal(new WebCreation(null, IsOverLimit: true), stage.Gate.Sessions.Create(page, AppAddress));
        Assert.Null(stage.Gate.Sessions.NewPage(stage.Secure));
    }

    [Fact]
    public void A_removed_secret_ends_its_sessions_and_pages_and_no_others()
    {
        var kept = new Credential("kept", NewSecret);
        using var stage = new WebStage(settings => settings with
        {
            Listeners = [settings.Listeners[0] with { Credentials = [new Credential("gone", Stage.Secret), kept] }],
        });
        var (gone, other) = (stage.Create(stage.Gate.Users[0]), stage.Create(stage.Gate.Users[2]));
        var page = stage.Read(stage.Gate.Sessions.NewPage(stage.Gate.Users[0])!);
        ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
        stage.Done(gone.PostAsync(1, null, Sequence(Open(1), Data(1, header))));
        var settings = stage.Stage.Proxy.Settings;

        var reload = stage.Stage.Proxy.ReloadAsync(settings with
        {
            Listeners = [settings.Listeners[0] with { Credentials = [kept] }],
        });
        while (!reload.IsCompleted) stage.Stage.Run();
        stage.Stage.Run();

        Assert.Equal(WebEnd.Revoked, gone.Session.Ended);
        Assert.Null(other.Session.Ended);
        Assert.Equal(default, stage.Gate.Sessions.Create(page, AppAddress));
        Assert.Equal(2, stage.Gate.Users.Length);
        stage.Stage.AssertEnded("secret_removed (operator)");
    }

    [Theory]
    [InlineData(ClientProtocols.None, ClientProtocols.FakeTls)]
    [InlineData(ClientProtocols.FakeTls, ClientProtocols.None)]
    public void Who_listens_on_a_port_is_not_exchanged_by_a_reload(ClientProtocols before, ClientProtocols after)
    {
        using var stage = new WebStage(settings => settings with
        {
            Listeners = [settings.Listeners[0] with { Protocols = before }],
        });
        var settings = stage.Stage.Proxy.Settings;

        var reload = stage.Stage.Proxy.ReloadAsync(settings with { Listeners = [settings.Listeners[0] with { Protocols = after }] });
        while (!reload.IsCompleted) stage.Stage.Run();

        Assert.IsType<ListenException>(reload.Exception?.InnerException);
        Assert.Equal(before, stage.Stage.Proxy.Settings.Listeners[0].Protocols);
        Assert.NotNull(stage.Create());
    }

    [Fact]
    public void A_reload_without_the_proxy_ends_its_sessions()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var settings = stage.Stage.Proxy.Settings;

        var reload = stage.Stage.Proxy.ReloadAsync(settings with
        {
            Listeners =
            [
                settings.Listeners[0] with
                {
                    Web = null, Protocols = ClientProtocols.Secure, Address = new(IPAddress.Loopback, 4431),
                },
            ],
        });
        while (!reload.IsCompleted) stage.Stage.Run();

        Assert.Equal(WebEnd.Shutdown, entry.Session.Ended);
        Assert.Null(Assert.Single(stage.Stage.Proxy.WebGates));
    }
}
