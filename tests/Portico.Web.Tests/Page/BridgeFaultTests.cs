using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Portico.IntegrationTests;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Page;

/// <summary>
/// What becomes of an app's streams when the network between page and host is bad. An app takes no byte twice, and misses none.
/// </summary>
[Collection(FaultyBrowserTests.Name)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class BridgeFaultTests(Browsers browsers)
{
    public static TheoryData<WebCarrier> Requests => [WebCarrier.Https, WebCarrier.HttpsLanes];

    [BrowserTheory]
    [MemberData(nameof(Requests))]
    public async Task Lost_answers_cost_nothing_but_time(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [carrier] });
        await using var front = await Terminator.StartAsync(host.Server.Address);
        var asked = 0;
        // Every third, from the creation of the session on.
        front.Fault = context => IsTransport(context) && Interlocked.Increment(ref asked) % 3 == 1
            ? front.LoseAnswerAsync(context)
            : front.ForwardAsync(context);
        await using var app = await EnterAsync(host, front);

        for (var stream = 1u; stream <= 3; stream++) await app.EchoAsync(stream, 300_000);

        Assert.Contains("reconnecting", app.States);
        Assert.True(asked > 3);
        app.AssertHealthy();
    }

    [BrowserTheory]
    [MemberData(nameof(Requests))]
    public async Task Answers_cut_off_anywhere_are_asked_for_again(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [carrier] });
        await using var front = await Terminator.StartAsync(host.Server.Address);
        // In front of, inside and behind headers, and inside payloads; every second answer.
        var cuts = new Queue<int>([0, 1, 7, 8, 9, 11, 12, 13, 19, 20, 21, 500, 3000]);
        var asked = 0;
        front.Fault = context => IsDown(context) && Interlocked.Increment(ref asked) % 2 == 0
            ? front.CutAnswerAsync(context, Cut, () => Task.CompletedTask)
            : front.ForwardAsync(context);
        await using var app = await EnterAsync(host, front);

        for (var stream = 1u; cuts.Count > 0; stream++) await app.EchoAsync(stream, 150_000);

        app.AssertHealthy();

        int? Cut(ReadOnlyMemory<byte> body)
        {
            lock (cuts) return cuts.TryPeek(out var length) && body.Length > length ? cuts.Dequeue() : null;
        }
    }

    [BrowserTheory]
    [MemberData(nameof(Requests))]
    public async Task What_an_app_got_before_an_answer_broke_off_it_does_not_get_again(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [carrier] });
        await using var front = await Terminator.StartAsync(host.Server.Address);
        BridgeApp? app = null;
        var cuts = new HashSet<string>();
        front.Fault = context =>
        {
            // Each answer once.
            var answer = $"{context.Request.Headers["X-Lane-ID"]} {context.Request.Headers["X-Down-Cursor"]}";
            if (!IsDown(context) || app is null || cuts.Contains(answer))
                return front.ForwardAsync(context);
            var before = app.FrameCount;
            return front.CutAnswerAsync(
                context, body => InsideTheSecondFrame(body, answer), () => BridgeApp.UntilAsync(() => app.FrameCount > before));
        };
        await using var entered = app = await EnterAsync(host, front);

        for (var stream = 1u; cuts.Count < 5; stream++) await app.EchoAsync(stream, 150_000);

        app.AssertHealthy();

        int? InsideTheSecondFrame(ReadOnlyMemory<byte> body, string answer)
        {
            if (WebFrameHeader.TryRead(body.Span, out var first, out _) != FrameStatus.Ok)
                return null;
            var end = WebFrameHeader.Length + first.PayloadLength + 4;
            if (body.Length <= end) return null;
            lock (cuts) cuts.Add(answer);
            return end;
        }
    }

    [BrowserTheory]
    [InlineData("0200000100000002aa")]
    [InlineData("02000001")]
    public async Task A_body_that_ends_inside_a_frame_was_cut_off_though_the_browser_does_not_say_so(string body)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [WebCarrier.Https] });
        await using var front = await Terminator.StartAsync(host.Server.Address);
        var isFirst = true;
        front.Fault = context =>
        {
            if (!IsDown(context) || !isFirst) return front.ForwardAsync(context);
            isFirst = false;
            context.Response.Headers["X-Down-Cursor"] = "1";
            return context.Response.Body.WriteAsync(Convert.FromHexString(body)).AsTask();
        };
        await using var app = await EnterAsync(host, front);

        await app.EchoAsync(1, 100_000);

        Assert.Contains("reconnecting", app.States);
        app.AssertHealthy();
    }

    [BrowserTheory]
    [MemberData(nameof(Requests))]
    public async Task Where_bodies_cannot_be_read_in_pieces_they_are_read_as_a_whole(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Carriers = [carrier] });
        var browser = await browsers.GetAsync(Way.Http2, host.Server.Address);
        const string Old = "Object.defineProperty(Response.prototype, 'body', {value: undefined});";
        await using var app = await BridgeApp.OpenAsync(browser, host.BridgeUrl, AppKind.Desktop, Old);
        await app.WelcomeAsync();

        await app.EchoAsync(1, 100);
        await app.EchoAsync(2, 1 << 20);

        app.AssertHealthy();
    }

    [BrowserTheory]
    [MemberData(nameof(Requests))]
    public async Task Doubled_requests_do_nothing_twice(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [carrier] });
        await using var front = await Terminator.StartAsync(host.Server.Address);
        front.Fault = context => IsTransport(context) && !IsDown(context) ? front.DoubleAsync(context) : front.ForwardAsync(context);
        await using var app = await EnterAsync(host, front);

        for (var stream = 1u; stream <= 3; stream++) await app.EchoAsync(stream, 100_000);

        Assert.Equal(1, host.Sessions.Count);
        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData(WebCarrier.WebSocket)]
    [InlineData(WebCarrier.WebSocketLanes)]
    public async Task Where_WebSockets_are_never_answered_requests_are_used(WebCarrier blocked)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [blocked, WebCarrier.Https] });
        await using var front = await Terminator.StartAsync(host.Server.Address, HttpProtocols.Http1);
        front.Fault = context => IsSocket(context) ? Task.Delay(Timeout.Infinite, context.RequestAborted) : front.ForwardAsync(context);
        await using var app = await EnterAsync(host, front);

        await app.EchoAsync(1, 100);
        await app.EchoAsync(2, 100_000);

        Assert.True(app.WelcomeTime < TimeSpan.FromSeconds(8), $"{app.WelcomeTime}");
        Assert.Equal(1, host.Sessions.Count);
        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData(WebCarrier.WebSocket)]
    [InlineData(WebCarrier.WebSocketLanes)]
    public async Task Where_WebSockets_are_refused_requests_are_used_at_once(WebCarrier blocked)
    {
        var setup = new HostSetup { Carriers = [blocked, WebCarrier.HttpsLanes, WebCarrier.Https] };
        await using var host = await WebHostUnderTest.StartAsync(setup);
        await using var front = await Terminator.StartAsync(host.Server.Address);
        front.Fault = context =>
        {
            context.Response.StatusCode = StatusCodes.Status502BadGateway;
            return IsSocket(context) ? Task.CompletedTask : ForwardAsync(context);
        };
        await using var app = await EnterAsync(host, front);

        await app.EchoAsync(1, 100);

        Assert.True(app.WelcomeTime < TimeSpan.FromSeconds(3), $"{app.WelcomeTime}");
        app.AssertHealthy();

        Task ForwardAsync(HttpContext context)
        {
            context.Response.StatusCode = StatusCodes.Status200OK;
            return front.ForwardAsync(context);
        }
    }

    [BrowserFact]
    public async Task While_it_tries_an_app_hears_of_it_every_five_seconds()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        await using var front = await Terminator.StartAsync(host.Server.Address);
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        front.Fault = async context =>
        {
            if (IsTransport(context)) await heard.Task;
            await front.ForwardAsync(context);
        };
        var browser = await browsers.GetAsync(Way.Http2, front.Address);
        await using var app = await BridgeApp.OpenAsync(browser, host.BridgeUrl, AppKind.Desktop);

        await app.StateAsync("reconnecting");
        heard.SetResult();
        await app.WelcomeAsync();
        await app.StateAsync("connected");

        app.AssertHealthy();
    }

    [BrowserFact]
    public async Task A_host_that_is_busy_is_asked_again()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        await using var front = await Terminator.StartAsync(host.Server.Address);
        var left = 2;
        front.Fault = context =>
        {
            if (!IsTransport(context) || Interlocked.Decrement(ref left) < 0)
                return front.ForwardAsync(context);
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "1";
            return Task.CompletedTask;
        };
        await using var app = await EnterAsync(host, front);

        Assert.InRange(app.WelcomeTime, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(8));
        Assert.Equal(["connecting", "reconnecting"], app.States.Take(2));
        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData(WebCarrier.Https)]
    [InlineData(WebCarrier.HttpsLanes)]
    [InlineData(WebCarrier.WebSocket)]
    [InlineData(WebCarrier.WebSocketLanes)]
    public async Task After_a_restart_an_app_loses_its_streams_and_opens_others_on_the_same_page(WebCarrier carrier)
    {
        var setup = new HostSetup { IsTls = true, Carriers = [carrier] };
        var first = await WebHostUnderTest.StartAsync(setup);
        await using var second = await WebHostUnderTest.StartAsync(setup);
        var browser = await browsers.GetAsync(Way.Http2, first.Server.Address);
        await using var app = await BridgeApp.EnterAsync(browser, first, AppKind.Desktop);
        await app.EchoAsync(1, 100);

        await browsers.GetAsync(Way.Http2, second.Server.Address);
        await first.DisposeAsync();
        await app.EndAsync(1);
        await app.SendAsync(AppFrame.Data(1, [1]), AppFrame.Close(1)); // these were on their way
        await FindOutAsync(app, carrier, 2);
        await app.EchoAsync(3, 100_000);

        Assert.Equal(1, second.Sessions.Count);
        Assert.Equal("connected", app.States.Last());
        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData(WebCarrier.Https)]
    [InlineData(WebCarrier.HttpsLanes)]
    [InlineData(WebCarrier.WebSocket)]
    [InlineData(WebCarrier.WebSocketLanes)]
    public async Task After_a_kill_that_nobody_was_told_of_an_app_has_new_streams_within_five_seconds(WebCarrier carrier)
    {
        var setup = new HostSetup { IsTls = true, Carriers = [carrier] };
        await using var killed = await WebHostUnderTest.StartAsync(setup);
        await using var next = await WebHostUnderTest.StartAsync(setup);
        await using var door = new Door { Server = killed.Server.Address };
        var browser = await browsers.GetAsync(Way.Http2, door.Address);
        await using var app = await BridgeApp.EnterAsync(browser, killed, AppKind.Desktop);
        await app.EchoAsync(1, 100_000);
        await app.SendAsync(AppFrame.Data(1, new byte[100_000])); // under way

        // As a process ends that is killed: no BYE, and nobody knows the session of before.
        await RestartAsync(door, next);
        var began = Stopwatch.GetTimestamp();
        await app.EndAsync(1);
        await FindOutAsync(app, carrier, 2);
        await app.EchoAsync(3, 100_000);

        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.Equal(1, next.Sessions.Count);
        Assert.Equal("connected", app.States.Last());
        app.AssertHealthy();
    }

    [BrowserFact]
    public async Task Where_an_app_is_taken_for_a_stranger_after_a_restart_the_page_gives_up()
    {
        var first = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        await using var second = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Path = "another" });
        var browser = await browsers.GetAsync(Way.Http2, first.Server.Address);
        await using var app = await BridgeApp.EnterAsync(browser, first, AppKind.Desktop);
        await app.EchoAsync(1, 100);

        await browsers.GetAsync(Way.Http2, second.Server.Address);
        await first.DisposeAsync();

        await app.ClosedAsync();
        Assert.Equal(["connecting", "connected", "reconnecting", "failed"], app.States.Distinct());
        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData(WebCarrier.WebSocket)]
    [InlineData(WebCarrier.WebSocketLanes)]
    public async Task Where_WebSockets_are_cut_after_a_while_requests_are_used(WebCarrier blocked)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [blocked, WebCarrier.Https] });
        await using var door = SocketsCutAfter16KiB(host);
        await using var front = await Terminator.StartAsync(door.Address);
        await using var app = await EnterAsync(host, front);

        // With a socket for each stream the first that is cut may be chance.
        for (var stream = 1u; stream <= (blocked == WebCarrier.WebSocket ? 1 : 2); stream++)
        {
            await app.SendAsync(AppFrame.Open(stream), AppFrame.Data(stream, new byte[20_000]));
            await app.EndAsync(stream);
        }

        await app.EchoAsync(3, 100_000);
        await app.EchoAsync(4, 100_000);

        Assert.True(app.WelcomeTime < TimeSpan.FromSeconds(8), $"{app.WelcomeTime}");
        app.AssertHealthy();
    }

    [BrowserFact]
    public async Task A_page_whose_sessions_do_not_last_gives_up()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [WebCarrier.WebSocket] });
        await using var door = SocketsCutAfter16KiB(host);
        await using var front = await Terminator.StartAsync(door.Address);
        await using var app = await EnterAsync(host, front);

        for (var stream = 1u; stream <= 4; stream++)
        {
            await app.SendAsync(AppFrame.Open(stream), AppFrame.Data(stream, new byte[20_000]));
            if (stream < 4) await app.EndAsync(stream);
        }

        await app.ClosedAsync();
        Assert.Equal("failed", app.States.Last());
        app.AssertHealthy();
    }

    [BrowserTheory]
    [InlineData(WebCarrier.Https)]
    [InlineData(WebCarrier.HttpsLanes)]
    [InlineData(WebCarrier.WebSocket)]
    [InlineData(WebCarrier.WebSocketLanes)]
    public async Task While_the_server_in_front_restarts_requests_lose_nothing_and_streams_by_sockets_are_opened_anew(WebCarrier carrier)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true, Carriers = [carrier] });
        await using var door = new Door { Server = host.Server.Address };
        var browser = await browsers.GetAsync(Way.Http2, door.Address);
        await using var app = await BridgeApp.EnterAsync(browser, host, AppKind.Desktop);
        await app.EchoAsync(1, 100_000);

        await RestartAsync(door, host);
        var began = Stopwatch.GetTimestamp();
        if (carrier is WebCarrier.Https or WebCarrier.HttpsLanes)
        {
            await app.EchoAsync(1, 100_000, isOpen: true);
        }
        else
        {
            await app.EndAsync(1);
            await app.EchoAsync(2, 100_000);
        }

        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(5));
        app.AssertHealthy();
    }

    // What is behind a door goes without a word, and this stands there a moment later.
    private static async Task RestartAsync(Door door, WebHostUnderTest next)
    {
        door.IsShut = true;
        door.CutAll();
        await Task.Delay(300); // as long as a restart takes
        (door.Server, door.IsShut) = (next.Server.Address, false);
    }

    // With a socket for each stream, it is one of them that finds out that there is no session any more.
    private static async Task FindOutAsync(BridgeApp app, WebCarrier carrier, uint stream)
    {
        if (carrier != WebCarrier.WebSocketLanes) return;
        await app.SendAsync(AppFrame.Open(stream));
        await app.EndAsync(stream);
    }

    private static Door SocketsCutAfter16KiB(WebHostUnderTest host) => new()
    {
        Server = host.Server.Address,
        Allowance = first => first.Span.IndexOf("/api/v1/ws"u8) >= 0 ? 16 * 1024 : null,
    };

    private static bool IsTransport(HttpContext context) =>
        context.Request.Path.Value!.Contains("/api/v1/", StringComparison.Ordinal) && !IsSocket(context);

    private static bool IsDown(HttpContext context) => context.Request.Path.Value!.EndsWith("/down", StringComparison.Ordinal);

    private static bool IsSocket(HttpContext context) => context.Request.Path.Value!.EndsWith("/ws", StringComparison.Ordinal);

    private async Task<BridgeApp> EnterAsync(WebHostUnderTest host, Terminator front) =>
        await BridgeApp.EnterAsync(await browsers.GetAsync(Way.Http2, front.Address), host, AppKind.Desktop);
}
