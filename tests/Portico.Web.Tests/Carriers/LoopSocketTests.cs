using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Portico.Core.Net;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;
using Portico.Protocol.WebSockets;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;
using Xunit;

namespace Portico.Web.Tests.Carriers;

/// <summary>WebSockets that the loop of their session serves, without the web server that opened them.</summary>
public sealed class LoopSocketTests
{
    private static readonly byte[] Mask = [0x37, 0xfa, 0x21, 0x3d];

    [Theory]
    [InlineData(EngineKind.Epoll, 1, false)]
    [InlineData(EngineKind.Epoll, 2, false)]
    [InlineData(EngineKind.Epoll, 2, true)]
    [InlineData(EngineKind.Sockets, 1, true)]
    [InlineData(EngineKind.Sockets, 2, false)]
    internal async Task A_session_has_its_socket_whatever_loop_that_came_in_on(EngineKind engine, int loops, bool isTls)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = isTls, Engine = engine, Loops = loops });
        var payload = new byte[700_000];
        Random.Shared.NextBytes(payload);
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            using var client = host.Client();
            await client.EnterAsync();
            using var socket = await client.OpenSocketAsync();
            await SayAsync(socket, [.. AppFrame.Open(1), .. AppFrame.Data(1, payload)]);
            Assert.Equal(payload, await HearAsync(socket, payload.Length));
            // Sockets of the runtime's stay on the loop that they came in on, and some of them in the web server.
            var leave = engine == EngineKind.Epoll || loops == 1;
            if (leave) Assert.NotEqual(0, await host.CountSocketsAsync());
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Clock());
        }));
        await UntilAsync(async () => await host.CountSocketsAsync() == 0 && host.Sessions.Count == 0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100_000)]
    public async Task What_comes_right_behind_the_handshake_or_in_small_pieces_is_not_lost(int piece)
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        byte[] text = [.. Enumerable.Range(0, 300).Select(i => (byte)i)];
        byte[] bytes =
        [
            .. Encoding.ASCII.GetBytes(RawHttp.Handshake("/api/v1/ws", $"tproxy-v1.{client.SessionToken}")),
            .. Frame(0x02, AppFrame.Open(1)), .. Frame(0x89, "are you there?"u8), .. Frame(0x00, AppFrame.Data(1, text)),
            .. Frame(0x80, []),
        ];
        using var socket = await ConnectAsync(host);

        for (var at = 0; at < bytes.Length; at += piece)
            await socket.SendAsync(bytes.AsMemory(at, Math.Min(piece, bytes.Length - at)));

        var answer = await ReadAsync(socket, heard => Payload(heard).Length >= text.Length);
        Assert.StartsWith("HTTP/1.1 101 Switching Protocols\r\n", Encoding.Latin1.GetString(answer), StringComparison.Ordinal);
        Assert.Contains(ServerFrames(answer), frame => frame.Opcode == 0x8a && frame.Payload.AsSpan().SequenceEqual("are you there?"u8));
        Assert.Equal(text, Payload(answer));
    }

    public static TheoryData<byte[], WebSocketFarewell> Wrong => new()
    {
        { [0x82, 0x05, 1, 2, 3, 4, 5], WebSocketFarewell.ProtocolError },                           // not masked
        { Frame(0xc2, AppFrame.Open(1)), WebSocketFarewell.ProtocolError },
        { Frame(0x80, AppFrame.Open(1)), WebSocketFarewell.ProtocolError },                         // goes on with nothing
        { Frame(0x09, "half"u8), WebSocketFarewell.ProtocolError },
        { Frame(0x81, "text"u8), WebSocketFarewell.PolicyViolation },
        { Frame(0x82, "no frame"u8), WebSocketFarewell.PolicyViolation },
        { Frame(0x02, new byte[WebBatchReader.MaxLength + 1]), WebSocketFarewell.MessageTooBig },   // before it is whole
        { Frame(0x88, [0x03, 0xe8]), WebSocketFarewell.Normal },
        { Frame(0x88, []), WebSocketFarewell.Normal },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    internal async Task Whoever_says_goodbye_or_what_cannot_be_is_told_why_and_let_go(byte[] bytes, WebSocketFarewell farewell)
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        using var socket = await OpenAsync(host, client);

        await socket.SendAsync(Frame(0x82, AppFrame.Open(9)));
        await socket.SendAsync(bytes);

        var answer = await ReadAsync(socket, heard => ServerFrames(heard).Any(frame => frame.Opcode == 0x88));
        var last = ServerFrames(answer).Last();
        Assert.Equal(0x88, last.Opcode);
        Assert.Equal([(byte)((int)farewell >> 8), (byte)farewell], last.Payload);
        // Having heard that, it answers, and the connection is closed.
        if (bytes[0] != 0x88) await socket.SendAsync(Frame(0x88, last.Payload));
        if (farewell == WebSocketFarewell.ProtocolError) socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await socket.ReceiveAsync(new byte[100], Clock()));
        await UntilAsync(async () => host.Sessions.Count == 0 && await host.CountSocketsAsync() == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_ends_without_goodbye_ends_its_session(bool isReset)
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        var socket = await OpenAsync(host, client);
        await socket.SendAsync(Frame(0x82, AppFrame.Open(9)));
        await UntilAsync(() => Task.FromResult(!host.Echo.Clients.IsEmpty));

        socket.LingerState = new LingerOption(isReset, 0);
        socket.Dispose();

        await UntilAsync(async () => host.Sessions.Count == 0 && await host.CountSocketsAsync() == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_end_right_behind_bytes_is_seen_inside_TLS_too(bool isSaid)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = true });
        using var client = host.Client();
        await client.EnterAsync();
        using var socket = await ConnectAsync(host);
        await using (var tls = new SslStream(new NetworkStream(socket)))
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, it, _, _) => it is not null }, Clock());
            await tls.WriteAsync(Encoding.ASCII.GetBytes(RawHttp.Handshake("/api/v1/ws", $"tproxy-v1.{client.SessionToken}")));
            Assert.NotEqual(0, await tls.ReadAsync(new byte[4096], Clock()));
            await UntilAsync(async () => await host.CountSocketsAsync() == 1);
            Assert.Equal(1, await host.CountSlimAsync());

            // Held until both are there.
            var loop = host.Loops[0];
            using var gate = new ManualResetEventSlim();
            loop.Post(gate.Wait, _ => { });
            await tls.WriteAsync(Frame(0x82, AppFrame.Open(9)));
            if (isSaid) await tls.ShutdownAsync();
            else socket.Shutdown(SocketShutdown.Send);
            gate.Set();

            await UntilAsync(async () => host.Sessions.Count == 0 && await host.CountSocketsAsync() == 0);
        }

        Assert.Single(host.Echo.Clients);
    }

    [Fact]
    public async Task What_comes_behind_a_goodbye_is_not_kept()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        using var socket = await OpenAsync(host, client);
        // Nothing of ours is read, so that the answer waits.
        await socket.SendAsync(Frame(0x82, [.. AppFrame.Open(1), .. AppFrame.Data(1, "pour"u8)]));
        await UntilAsync(() => Task.FromResult(!host.Echo.Clients.IsEmpty));
        await socket.SendAsync(Frame(0x88, [0x03, 0xe8]), Clock());
        var (most, sent) = (0L, 0);
        try
        {
            for (; sent < 100; sent++)
            {
                await socket.SendAsync(new byte[1 << 20], Clock());
                most = Math.Max(
                    most, await LoopCall<long>.On(host.Loops[0], call => call.TrySetResult(host.Loops[0].Buffers.Rented)));
            }
        }
        catch (SocketException)
        {
            // It need not listen for ever.
        }

        Assert.InRange(most, 0, 1_000_000);
        Assert.InRange(sent, 10, 100);
    }

    [Fact]
    public async Task Whoever_asks_and_asks_and_does_not_read_costs_little()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        using var socket = await OpenAsync(host, client);
        await socket.SendAsync(Frame(0x82, [.. AppFrame.Open(1), .. AppFrame.Data(1, "pour"u8)]));
        byte[] pings = [.. Enumerable.Range(0, 1000).SelectMany(_ => Frame(0x89, new byte[100]))];

        for (var i = 0; i < 50; i++) await socket.SendAsync(pings, Clock());

        // What waits for it: a batch, an answer or two. Credit limits the rest.
        var rented = await LoopCall<long>.On(host.Loops[0], call => call.TrySetResult(host.Loops[0].Buffers.Rented));
        Assert.InRange(rented, 0, 600_000);
        using var other = host.Client();
        await other.EnterAsync();
        using var echo = await other.OpenSocketAsync();
        await SayAsync(echo, [.. AppFrame.Open(1), .. AppFrame.Data(1, "hello"u8)]);
        Assert.Equal("hello"u8.ToArray(), await HearAsync(echo, 5));
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(true, 3)]
    public async Task Large_answers_come_whole_and_in_order_to_who_is_slow_to_read(bool isTls, int streams)
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { IsTls = isTls });
        using var client = host.Client();
        await client.EnterAsync();
        using var socket = await client.OpenSocketAsync();
        var payloads = Enumerable.Range(0, streams).Select(_ => RandomNumberGenerator.GetBytes(2_000_000)).ToArray();
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < streams; i++) await SayAsync(socket, AppFrame.Open((uint)i + 1));
            for (var at = 0; at < payloads[0].Length; at += 100_000)
            {
                for (var i = 0; i < streams; i++) await SayAsync(socket, AppFrame.Data((uint)i + 1, payloads[i].AsSpan(at, 100_000)));
            }
        });
        // By now what is on its way has filled every buffer: both what is passed on at once and what waits is cut anywhere.
        await Task.Delay(200);

        var heard = payloads.Select(_ => new MemoryStream()).ToArray();
        var buffer = new byte[1 << 20];
        while (heard.Any(one => one.Length < payloads[0].Length))
        {
            var got = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(got, Math.Min(10_000, buffer.Length - got)), Clock());
                got += part.Count;
            }
            while (!part.EndOfMessage);
            foreach (var frame in AppFrame.ReadAll(buffer[..got]).Where(frame => frame.Type == WebFrameType.Data))
                heard[frame.Stream - 1].Write(frame.Payload);
        }

        await sending;
        Assert.All(heard, (one, i) => Assert.Equal(payloads[i], one.ToArray()));
    }

    [Fact]
    public async Task A_message_that_has_to_wait_is_taken_when_there_is_room()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        using var socket = await OpenAsync(host, client);
        var payload = new byte[1 << 20];
        Random.Shared.NextBytes(payload);
        const int Streams = 12; // more than the 8 MiB that may wait to be read
        host.Echo.IsDeaf = true;
        byte[] messages = [.. Enumerable.Range(1, Streams).SelectMany(stream =>
            Frame(0x82, [.. AppFrame.Open((uint)stream), .. AppFrame.Data((uint)stream, payload.AsSpan(0, 1_000_000))]))];

        var sending = socket.SendAsync(messages);
        await UntilAsync(() => Task.FromResult(host.Echo.Clients.Count == 8));
        await Task.Delay(100);
        // The ninth is held, and nothing is read behind it.
        Assert.Equal(8, host.Echo.Clients.Count);
        await host.Echo.HearAsync(host.Loops[0]);

        var answer = await ReadAsync(socket, heard => heard.Length > Streams * 1_000_000 && Payload(heard).Length == Streams * 1_000_000);
        await sending;
        Assert.Equal(Streams, ServerFrames(answer).SelectMany(frame => AppFrame.ReadAll(frame.Payload))
            .Where(frame => frame.Type == WebFrameType.Data).Select(frame => frame.Stream).Distinct().Count());
    }

    [Fact]
    public async Task Of_messages_that_come_in_parts_a_session_keeps_so_many_and_takes_all()
    {
        await using var host = await WebHostUnderTest.StartAsync();
        using var client = host.Client();
        await client.EnterAsync();
        const int Lanes = 40, Half = 512 * 1024;
        var sockets = new List<Socket>();
        for (var lane = 1u; lane <= Lanes; lane++) sockets.Add(await OpenAsync(host, client, lane));
        var messages = Enumerable.Range(1, Lanes).Select(lane =>
            Frame(0x82, [.. AppFrame.Open((uint)lane), .. AppFrame.Data((uint)lane, new byte[2 * Half])])).ToList();
        var before = await RentedAsync(host);

        var sending = sockets.Select((socket, i) => SendAsync(socket, messages[i].AsMemory(0, Half))).ToList();
        await UntilAsync(async () => await RentedAsync(host) - before > 16 * Half);
        await Task.Delay(100);
        // Of the others a first piece, and what was read behind it.
        Assert.InRange(await RentedAsync(host) - before, 16 * Half, (17 * Half) + (Lanes * 36 * 1024));
        // A word beside them has to wait for nobody.
        using var chat = await OpenAsync(host, client, Lanes + 1);
        await SendAsync(chat, Frame(0x82, [.. AppFrame.Open(Lanes + 1), .. AppFrame.Data(Lanes + 1, "hello"u8)]));
        Assert.Equal("hello"u8.ToArray(), Payload(await ReadAsync(chat, heard => Payload(heard).Length == 5)));

        await Task.WhenAll(sockets.Select(async (socket, i) =>
        {
            var hearing = ReadAsync(socket, heard => heard.Length > 2 * Half && Payload(heard).Length == 2 * Half);
            await sending[i];
            await SendAsync(socket, messages[i].AsMemory(Half));
            await hearing;
        }));
        Assert.Equal((Lanes * 2 * Half) + 5, host.Sessions.Bytes().Received);
        foreach (var socket in sockets) socket.Dispose();
    }

    [Fact]
    public async Task A_message_that_is_not_whole_in_time_is_the_end_of_its_lane()
    {
        await using var host = await WebHostUnderTest.StartAsync(new HostSetup { Limits = new WebLimits { MessageMs = 1000 } });
        using var client = host.Client();
        await client.EnterAsync();
        using var other = await OpenAsync(host, client, lane: 1);
        using var socket = await OpenAsync(host, client, lane: 2);

        await SendAsync(socket, Frame(0x82, [.. AppFrame.Open(2), .. AppFrame.Data(2, new byte[1000])]).AsMemory(0, 999));

        var answer = await ReadAsync(socket, heard => ServerFrames(heard).Any(frame => frame.Opcode == 0x88));
        Assert.Equal([0x03, 0xf0], ServerFrames(answer).Last().Payload);
        await SendAsync(other, Frame(0x82, [.. AppFrame.Open(1), .. AppFrame.Data(1, "hello"u8)]));
        Assert.Equal("hello"u8.ToArray(), Payload(await ReadAsync(other, heard => Payload(heard).Length == 5)));
    }

    private static async Task<Socket> ConnectAsync(WebHostUnderTest host)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(host.Server.Address, Clock());
        return socket;
    }

    private static async Task<Socket> OpenAsync(WebHostUnderTest host, PagelessClient client)
    {
        await client.EnterAsync();
        return await OpenAsync(host, $"tproxy-v1.{client.SessionToken}");
    }

    private static Task<Socket> OpenAsync(WebHostUnderTest host, PagelessClient client, uint lane) =>
        OpenAsync(host, $"tproxy-lane-v1.{client.SessionToken}.{lane}");

    private static async Task<Socket> OpenAsync(WebHostUnderTest host, string protocol)
    {
        var socket = await ConnectAsync(host);
        await socket.SendAsync(Encoding.ASCII.GetBytes(RawHttp.Handshake("/api/v1/ws", protocol)));
        await ReadAsync(socket, heard => heard.AsSpan().EndsWith("\r\n\r\n"u8));
        return socket;
    }

    private static async Task<byte[]> ReadAsync(Socket socket, Func<byte[], bool> isEnough)
    {
        var (all, buffer, clock) = (new MemoryStream(), new byte[1 << 20], Clock());
        while (!isEnough(all.ToArray()))
        {
            var count = await socket.ReceiveAsync(buffer, clock);
            Assert.NotEqual(0, count);
            all.Write(buffer, 0, count);
        }

        return all.ToArray();
    }

    private static byte[] Frame(byte first, ReadOnlySpan<byte> payload)
    {
        byte[] length = payload.Length switch
        {
            < 126 => [(byte)(0x80 | payload.Length)],
            <= 65535 => [0xfe, (byte)(payload.Length >> 8), (byte)payload.Length],
            _ => [0xff, 0, 0, 0, 0, 0, (byte)(payload.Length >> 16), (byte)(payload.Length >> 8), (byte)payload.Length],
        };
        var masked = payload.ToArray();
        for (var i = 0; i < masked.Length; i++) masked[i] ^= Mask[i & 3];
        return [first, .. length, .. Mask, .. masked];
    }

    // Whole frames of a server's, behind the head of its answer if there is one.
    private static List<(int Opcode, byte[] Payload)> ServerFrames(byte[] heard)
    {
        var frames = new List<(int, byte[])>();
        var at = heard.AsSpan().StartsWith("HTTP"u8) ? heard.AsSpan().IndexOf("\r\n\r\n"u8) + 4 : 0;
        while (at + 2 <= heard.Length)
        {
            var (length, header) = (heard[at + 1] & 0x7f, 2);
            if (length == 126 && at + 4 <= heard.Length)
                (length, header) = ((heard[at + 2] << 8) | heard[at + 3], 4);
            else if (length == 127 && at + 10 <= heard.Length)
                (length, header) = ((heard[at + 7] << 16) | (heard[at + 8] << 8) | heard[at + 9], 10);
            else if (length > 125) break;
            if (at + header + length > heard.Length) break;
            frames.Add((heard[at], heard[(at + header)..(at + header + length)]));
            at += header + length;
        }

        return frames;
    }

    private static byte[] Payload(byte[] heard) =>
    [
        .. ServerFrames(heard).Where(frame => frame.Opcode == 0x82).SelectMany(frame => AppFrame.ReadAll(frame.Payload))
            .Where(frame => frame.Type == WebFrameType.Data).SelectMany(frame => frame.Payload),
    ];

    private static async Task SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        var clock = Clock();
        for (; !bytes.IsEmpty; bytes = bytes[await socket.SendAsync(bytes, clock)..])
        {
        }
    }

    private static Task<long> RentedAsync(WebHostUnderTest host) =>
        LoopCall<long>.On(host.Loops[0], call => call.TrySetResult(host.Loops[0].Buffers.Rented));

    private static CancellationToken Clock() => new CancellationTokenSource(Wire.Patience).Token;

    private static Task SayAsync(ClientWebSocket socket, byte[] frames) =>
        socket.SendAsync(frames, WebSocketMessageType.Binary, true, Clock());

    private static async Task<byte[]> HearAsync(ClientWebSocket socket, int length)
    {
        var (heard, buffer, clock) = (new MemoryStream(), new byte[1 << 20], Clock());
        while (heard.Length < length)
        {
            var got = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(got), clock);
                got += part.Count;
            }
            while (!part.EndOfMessage);
            foreach (var frame in AppFrame.ReadAll(buffer[..got]).Where(frame => frame.Type == WebFrameType.Data))
                heard.Write(frame.Payload);
        }

        return heard.ToArray();
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var clock = Clock();
        while (!await condition()) await Task.Delay(5, clock);
    }
}
