using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>What an app without a page relies on, on every carrier, over HTTP/1.1 and HTTP/2, with TLS and without.</summary>
public sealed class CarrierTests
{
    public static TheoryData<WebCarrier, Way> Carriers => Ways.Carriers;

    public static TheoryData<Way> All => Ways.All;

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task Frames_travel_both_ways(WebCarrier kind, Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls(), Carriers = [kind] });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        Assert.Equal(kind.Tag(), client.CarrierMode);
        using var carrier = PagelessCarrier.Of(kind, client);
        var small = RandomNumberGenerator.GetBytes(100);
        var large = RandomNumberGenerator.GetBytes(WebFrameHeader.MaxPayload);

        await carrier.SendAsync(1, AppFrame.Open(1), AppFrame.Data(1, small));
        Assert.Equal(small, await carrier.ReadAsync(1, small.Length));
        await carrier.SendAsync(2, AppFrame.Open(2));
        await carrier.SendAsync(2, AppFrame.Data(2, large));
        Assert.Equal(large, await carrier.ReadAsync(2, large.Length));
        await carrier.SendAsync(1, AppFrame.Data(1, large), AppFrame.Data(1, small));
        byte[] both = [.. large, .. small];
        Assert.Equal(both, await carrier.ReadAsync(1, large.Length + small.Length));

        Assert.All(host.Echo.Clients, address => Assert.Equal(IPAddress.Loopback, address.Address));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_trial_of_what_is_between_takes_no_frames_and_is_for_sessions_alone(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        using var carrier = PagelessCarrier.Of(WebCarrier.Https, client);
        await carrier.SendAsync(1, AppFrame.Open(1), AppFrame.Data(1, "for later"u8));

        using var trial = await client.SendAsync(Trial());
        Assert.Equal("for later"u8.ToArray(), await carrier.ReadAsync(1, "for later".Length));
        using var end = await client.DeleteAsync();
        using var late = await client.SendAsync(Trial());

        Assert.Equal((HttpStatusCode.OK, 128L), (trial.StatusCode, trial.Content.Headers.ContentLength!.Value));
        Assert.Equal((HttpStatusCode.NotFound, 0L), (late.StatusCode, late.Content.Headers.ContentLength!.Value));

        HttpRequestMessage Trial()
        {
            var request = client.Request(HttpMethod.Post, "/api/v1/down", client.SessionToken);
            request.Headers.Add("X-Down-Trial", "1");
            return request;
        }
    }

    [Theory]
    [MemberData(nameof(Carriers))]
    public async Task The_end_of_a_stream_is_told(WebCarrier kind, Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        using var carrier = PagelessCarrier.Of(kind, client);

        await carrier.SendAsync(5, AppFrame.Open(5), AppFrame.Data(5, "close"u8));
        var frames = await carrier.ReceiveAsync(5);
        while (frames is not null && frames.All(frame => frame.Type == WebFrameType.Window))
            frames = await carrier.ReceiveAsync(5);

        Assert.Equal(WebFrameType.Close, frames?[^1].Type);
        if (kind is WebCarrier.HttpsLanes or WebCarrier.WebSocketLanes)
            Assert.Null(await carrier.ReceiveAsync(5));
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_lost_answer_is_given_again(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        var token = client.SessionToken;
        await client.CreateAsync();
        Assert.Equal(token, client.SessionToken);

        byte[] frames = [.. AppFrame.Open(1), .. AppFrame.Data(1, "once"u8)];
        for (var i = 0; i < 3; i++)
        {
            using var taken = await client.PostAsync(1, frames);
            PagelessClient.Expect(taken, HttpStatusCode.NoContent);
            Assert.Equal("1", PagelessClient.Header(taken, "X-Up-Ack"));
        }

        byte[]? first = null;
        for (var i = 0; i < 3; i++)
        {
            using var given = await client.AskAsync(0);
            PagelessClient.Expect(given, HttpStatusCode.OK);
            Assert.Equal("1", PagelessClient.Header(given, "X-Down-Cursor"));
            Assert.Equal("application/octet-stream", given.Content.Headers.ContentType!.ToString());
            var body = await given.Content.ReadAsByteArrayAsync();
            Assert.Equal(first ??= body, body);
        }

        Assert.Equal("once"u8.ToArray(), AppFrame.ReadAll(first!).Single(frame => frame.Type == WebFrameType.Data).Payload);
    }

    [Theory]
    [InlineData("0", HttpStatusCode.NotFound, true)]
    [InlineData("01", HttpStatusCode.NotFound, true)]
    [InlineData("+1", HttpStatusCode.NotFound, true)]
    [InlineData("1 ,1", HttpStatusCode.NotFound, true)]
    [InlineData("18446744073709551616", HttpStatusCode.NotFound, true)]
    [InlineData("3", HttpStatusCode.NotFound, false)]
    public async Task A_number_that_cannot_be_is_refused_and_a_wrong_one_ends_the_session(string number, HttpStatusCode status, bool lives)
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();

        using var refused = await client.PostAsync(number, AppFrame.Open(1));
        PagelessClient.Expect(refused, status);
        using var next = await client.PostAsync(1, AppFrame.Open(1));
        PagelessClient.Expect(next, lives ? HttpStatusCode.NoContent : HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task The_same_number_with_other_frames_ends_the_session()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();

        using (var taken = await client.PostAsync(1, AppFrame.Open(1))) PagelessClient.Expect(taken, HttpStatusCode.NoContent);
        using (var doubled = await client.PostAsync(1, AppFrame.Open(2))) PagelessClient.Expect(doubled, HttpStatusCode.NotFound);
        using (var next = await client.PostAsync(2, AppFrame.Open(3))) PagelessClient.Expect(next, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_lane_is_refused_where_there_are_none_and_the_session_lives()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Carriers = [WebCarrier.Https] });
        using var client = host.Client();
        await client.EnterAsync();

        using (var refused = await client.PostAsync(1, AppFrame.Open(1), lane: 1)) PagelessClient.Expect(refused, HttpStatusCode.NotFound);
        await Assert.ThrowsAsync<WebSocketException>(() => client.OpenSocketAsync());
        await Assert.ThrowsAsync<WebSocketException>(() => client.OpenSocketAsync(lane: 1));
        using (var taken = await client.PostAsync(1, AppFrame.Open(1))) PagelessClient.Expect(taken, HttpStatusCode.NoContent);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_newer_request_for_frames_sends_the_older_home(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();

        var one = client.AskAsync(0);
        var other = client.AskAsync(0);
        // Which of them is the newer one is the network's to say.
        var older = await Task.WhenAny(one, other);
        using var home = await older;
        PagelessClient.Expect(home, HttpStatusCode.NoContent);
        Assert.Equal("0", PagelessClient.Header(home, "X-Down-Cursor"));
        using (var taken = await client.PostAsync(1, [.. AppFrame.Open(1), .. AppFrame.Data(1, "x"u8)]))
            PagelessClient.Expect(taken, HttpStatusCode.NoContent);
        using var answer = await (older == one ? other : one);
        PagelessClient.Expect(answer, HttpStatusCode.OK);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_request_for_frames_is_sent_home_after_a_while(Way way)
    {
        var limits = new WebLimits { PollMs = 50 };
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls(), Limits = limits });
        using var client = host.Client(way.Version());
        await client.EnterAsync();

        using var home = await client.AskAsync(0);

        PagelessClient.Expect(home, HttpStatusCode.NoContent);
        Assert.Equal("0", PagelessClient.Header(home, "X-Down-Cursor"));
        Assert.Null(home.Content.Headers.ContentType);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task An_app_that_leaves_while_it_waits_loses_nothing(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        using (var opened = await client.PostAsync(1, AppFrame.Open(1))) PagelessClient.Expect(opened, HttpStatusCode.NoContent);

        using var leave = new CancellationTokenSource();
        var asked = client.AskAsync(0, leave: leave.Token);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        using (var taken = await client.PostAsync(2, AppFrame.Data(1, [7]))) PagelessClient.Expect(taken, HttpStatusCode.NoContent);
        using var answer = await client.AskAsync(0);

        PagelessClient.Expect(answer, HttpStatusCode.OK);
        Assert.Contains(AppFrame.ReadAll(await answer.Content.ReadAsByteArrayAsync()), frame => frame.Type == WebFrameType.Data);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task While_a_session_has_no_room_requests_are_held_and_then_asked_to_come_again(Way way)
    {
        var limits = new WebLimits { HoldMs = 300 };
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls(), Limits = limits });
        host.Echo.IsDeaf = true;
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        // Eight batches of them are all that a session holds.
        var million = new byte[WebFrameHeader.MaxPayload - WebFrameHeader.Length];
        var number = 0ul;
        for (var stream = 1u; stream <= 2; stream++)
        {
            using (var opened = await client.PostAsync(++number, AppFrame.Open(stream)))
                PagelessClient.Expect(opened, HttpStatusCode.NoContent);
            for (var i = 0; i < 4; i++)
            {
                using var taken = await client.PostAsync(++number, AppFrame.Data(stream, million));
                PagelessClient.Expect(taken, HttpStatusCode.NoContent);
            }
        }

        byte[] more = [.. AppFrame.Open(3), .. AppFrame.Data(3, new byte[100])];
        number++;
        var held = client.PostAsync(number, more);
        var doubled = client.PostAsync(number, more);
        foreach (var request in new[] { held, doubled })
        {
            using var again = await request;
            PagelessClient.Expect(again, HttpStatusCode.ServiceUnavailable);
            Assert.Equal("1", PagelessClient.Header(again, "Retry-After"));
        }

        // Nothing of it was applied: the number is free, and so is the stream.
        using (var closed = await client.PostAsync(number, AppFrame.Close(1))) PagelessClient.Expect(closed, HttpStatusCode.NoContent);
        using (var taken = await client.PostAsync(number + 1, more)) PagelessClient.Expect(taken, HttpStatusCode.NoContent);
    }

    [Theory]
    [InlineData(WebCarrier.HttpsLanes)]
    [InlineData(WebCarrier.WebSocketLanes)]
    public async Task As_many_lanes_as_a_session_may_have_wait_on_one_connection(WebCarrier kind)
    {
        const int lanes = 250;
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        using var client = host.Client(HttpVersion.Version20);
        await client.EnterAsync();
        var carriers = Enumerable.Range(1, lanes).Select(_ => PagelessCarrier.Of(kind, client)).ToArray();

        var asked = new List<Task<byte[]>>();
        for (var lane = 1u; lane <= lanes; lane++)
        {
            await carriers[lane - 1].SendAsync(lane, AppFrame.Open(lane));
            asked.Add(carriers[lane - 1].ReadAsync(lane, 1));
        }

        for (var lane = 1u; lane <= lanes; lane++)
            await carriers[lane - 1].SendAsync(lane, AppFrame.Data(lane, [(byte)lane]));

        for (var lane = 1u; lane <= lanes; lane++)
            Assert.Equal([(byte)lane], await asked[(int)lane - 1]);
        Assert.Equal(1, client.Connections);
        foreach (var carrier in carriers) carrier.Dispose();
    }
}
