using System.Net;
using System.Net.WebSockets;
using System.Text;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>What happens to WebSockets beside frames.</summary>
public sealed class SocketTests
{
    public static TheoryData<Way> All => Ways.All;

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_second_socket_of_a_session_is_refused(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();

        using var first = await client.OpenSocketAsync();
        for (var i = 0; i < 2; i++)
            await Assert.ThrowsAsync<WebSocketException>(() => client.OpenSocketAsync());
        await EchoAsync(first, 1);
        // Frames have travelled: no other way is taken any more.
        await Assert.ThrowsAsync<WebSocketException>(() => client.OpenSocketAsync(lane: 2));
        using (var refused = await client.AskAsync(0)) PagelessClient.Expect(refused, HttpStatusCode.NotFound);
        await EchoAsync(first, 2);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_second_socket_of_a_lane_is_refused(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();

        using var first = await client.OpenSocketAsync(lane: 1);
        for (var i = 0; i < 2; i++)
            await Assert.ThrowsAsync<WebSocketException>(() => client.OpenSocketAsync(lane: 1));
        using var second = await client.OpenSocketAsync(lane: 2);
        await EchoAsync(first, 1);
        await EchoAsync(second, 2);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_bad_message_is_the_end(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        var open = AppFrame.Open(1);
        (byte[] Message, WebSocketMessageType Type, WebSocketCloseStatus Farewell)[] cases =
        [
            (open, WebSocketMessageType.Text, WebSocketCloseStatus.PolicyViolation),
            ([], WebSocketMessageType.Binary, WebSocketCloseStatus.PolicyViolation),
            (open[..^1], WebSocketMessageType.Binary, WebSocketCloseStatus.PolicyViolation),
            (new byte[WebBatchReader.MaxLength + 1], WebSocketMessageType.Binary, WebSocketCloseStatus.MessageTooBig),
        ];
        foreach (var (message, type, farewell) in cases)
        {
            await client.EnterAsync();
            using var socket = await client.OpenSocketAsync();
            await EchoAsync(socket, 9);
            await socket.SendAsync(message, type, true, Clock());
            Assert.Equal(farewell, await FarewellAsync(socket));
            using var next = await client.TryCreateAsync();
            PagelessClient.Expect(next, HttpStatusCode.NotFound);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_bad_message_on_a_lane_is_the_end_of_that_lane(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        using var first = await client.OpenSocketAsync(lane: 1);
        using var second = await client.OpenSocketAsync(lane: 2);
        await EchoAsync(second, 2);

        await first.SendAsync(AppFrame.Open(3), WebSocketMessageType.Binary, true, Clock());

        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await FarewellAsync(first));
        await EchoAsync(second, 2, isOpen: true);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task The_largest_message_is_taken_in_parts(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        using var socket = await client.OpenSocketAsync();
        var payload = new byte[WebFrameHeader.MaxPayload - (2 * WebFrameHeader.Length)];
        byte[] batch = [.. AppFrame.Open(1), .. AppFrame.Data(1, payload), .. AppFrame.Data(1, payload)];
        batch = [.. batch, .. AppFrame.Close(1)];
        Assert.Equal(WebBatchReader.MaxLength, batch.Length);

        var quarter = batch.Length / 4;
        for (var at = 0; at < batch.Length; at += quarter)
            await socket.SendAsync(batch.AsMemory(at, quarter), WebSocketMessageType.Binary, at == 3 * quarter, Clock());

        await EchoAsync(socket, 2);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_message_that_is_not_whole_in_time_is_the_end(Way way)
    {
        var limits = new WebLimits { MessageMs = 1000 };
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls(), Limits = limits });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        using var socket = await client.OpenSocketAsync();
        await EchoAsync(socket, 1);

        // Neither a piece now and then keeps it, nor that it has become long.
        var sending = SendForeverAsync(socket);

        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await FarewellAsync(socket));
        await Assert.ThrowsAnyAsync<Exception>(() => sending);
    }

    private static async Task SendForeverAsync(ClientWebSocket socket)
    {
        var clock = Clock();
        for (var piece = new byte[3000]; ; await Task.Delay(20, clock))
            await socket.SendAsync(piece, WebSocketMessageType.Binary, false, clock);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_socket_that_the_app_closes_or_loses_ends_what_it_carried(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        foreach (var isPolite in new[] { true, false })
        {
            using var client = host.Client(way.Version());
            await client.EnterAsync();
            var socket = await client.OpenSocketAsync();
            await EchoAsync(socket, 1);

            if (isPolite)
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Clock());
            else socket.Abort();
            socket.Dispose();
            await UntilAsync(() => host.Sessions.Count == 0);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_socket_that_carried_nothing_leaves_the_session_to_another(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        await client.EnterAsync();
        using (var socket = await client.OpenSocketAsync()) await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Clock());

        using var taken = await client.PostAsync(1, AppFrame.Open(1));

        PagelessClient.Expect(taken, HttpStatusCode.NoContent);
    }

    [Theory]
    [MemberData(nameof(All))]
    public async Task When_the_proxy_stops_sockets_hear_it_and_parked_requests_are_answered(Way way)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = way.IsTls() });
        using var client = host.Client(way.Version());
        using var other = host.Client(way.Version());
        await client.EnterAsync();
        await other.EnterAsync();
        using var socket = await client.OpenSocketAsync();
        await EchoAsync(socket, 1);
        var asked = other.AskAsync(0);
        using (var taken = await other.PostAsync(1, AppFrame.Open(1))) PagelessClient.Expect(taken, HttpStatusCode.NoContent);

        await host.Sessions.CloseAsync();
        var stopped = host.Server.StopAsync(Clock());

        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, await FarewellAsync(socket));
        try
        {
            using var refused = await asked;
            PagelessClient.Expect(refused, HttpStatusCode.NotFound);
        }
        catch (HttpRequestException)
        {
            // It had not come in yet when the door was closed.
        }

        await stopped.WaitAsync(Clock());
    }

    [Theory]
    [InlineData("Sec-WebSocket-Version: 12")]
    [InlineData("Sec-WebSocket-Key: short")]
    [InlineData("Upgrade: h2c")]
    public async Task A_good_token_in_a_bad_handshake_is_refused(string wrong)
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        var name = wrong[..wrong.IndexOf(':', StringComparison.Ordinal)];
        var lines = RawHttp.Handshake("/api/v1/ws", $"tproxy-v1.{client.SessionToken}").Split("\r\n")
            .Select(line => line.StartsWith(name + ":", StringComparison.Ordinal) ? wrong : line);

        var refused = await RawHttp.AskAsync(host.Server.Address, string.Join("\r\n", lines));

        Assert.StartsWith("HTTP/1.1 404 ", refused, StringComparison.Ordinal);
        Assert.Contains("\r\nCache-Control: no-store\r\n", refused, StringComparison.Ordinal);
        using var socket = await client.OpenSocketAsync();
        await EchoAsync(socket, 1);
    }

    private static CancellationToken Clock() => new CancellationTokenSource(Wire.Patience).Token;

    private static async Task EchoAsync(ClientWebSocket socket, uint stream, bool isOpen = false)
    {
        byte[] frames = [.. isOpen ? [] : AppFrame.Open(stream), .. AppFrame.Data(stream, Encoding.ASCII.GetBytes($"hello {stream}"))];
        await socket.SendAsync(frames, WebSocketMessageType.Binary, true, Clock());
        var buffer = new byte[1 << 20];
        while (true)
        {
            var got = await socket.ReceiveAsync(buffer.AsMemory(), Clock());
            Assert.Equal((WebSocketMessageType.Binary, true), (got.MessageType, got.EndOfMessage));
            if (AppFrame.ReadAll(buffer[..got.Count]).Any(frame => frame.Type == WebFrameType.Data && frame.Stream == stream))
                return;
        }
    }

    private static async Task<WebSocketCloseStatus?> FarewellAsync(ClientWebSocket socket)
    {
        var buffer = new byte[1 << 20];
        while (true)
        {
            var got = await socket.ReceiveAsync(buffer.AsMemory(), Clock());
            if (got.MessageType != WebSocketMessageType.Close) continue;
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Clock());
            return socket.CloseStatus;
        }
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        var clock = Clock();
        while (!condition()) await Task.Delay(5, clock);
    }
}
