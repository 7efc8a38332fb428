using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;

namespace Portico.SelfTest.WebApp;

/// <summary>The opening of a WebSocket over HTTP/1.1 (RFC 6455, section 4.1), without a library that knows every way of it.</summary>
internal static class AppSocket
{
    private const int LongestHead = 8192;

    private static ReadOnlySpan<byte> EndOfHead => "\r\n\r\n"u8;

    /// <summary>Opens one.</summary>
    /// <param name="session">Whose frames it will carry.</param>
    /// <param name="lane">The stream that it is for alone; null = all.</param>
    /// <param name="cancel">Nobody waits any more.</param>
    /// <exception cref="CheckFailedException">It was refused, or answered wrongly.</exception>
    /// <exception cref="SocketException">There is no connection.</exception>
    public static async Task<WebSocket> OpenAsync(AppSession session, uint? lane, CancellationToken cancel)
    {
        var stream = await session.Door.ConnectAsync(cancel);
        try
        {
            var protocol = lane is { } id
                ? FormattableString.Invariant($"tproxy-lane-v1.{session.Token}.{id}")
                : $"tproxy-v1.{session.Token}";
            await UpgradeAsync(stream, session, protocol, cancel);
            return WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { SubProtocol = protocol });
        }
        catch (Exception problem)
        {
            await stream.DisposeAsync();
            if (problem is IOException)
                throw new CheckFailedException($"a WebSocket cannot be opened: {problem.Message.ReplaceLineEndings(" ")}");
            throw;
        }
    }

    private static async Task UpgradeAsync(SslStream stream, AppSession session, string protocol, CancellationToken cancel)
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(16));
        var host = session.Door.BridgeUrl.Host;
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                $"GET {session.SocketTarget} HTTP/1.1\r\nHost: {host}\r\nOrigin: https://{host}\r\n"
                    + $"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                    + $"Sec-WebSocket-Protocol: {protocol}\r\n\r\n"),
            cancel);
        var lines = (await ReadHeadAsync(stream, cancel)).Split("\r\n");
        if (!lines[0].StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal))
            throw new CheckFailedException($"a WebSocket is answered with \"{lines[0]}\"");
        if (ValueOf(lines, "Sec-WebSocket-Accept") != AcceptOf(key) || ValueOf(lines, "Sec-WebSocket-Protocol") != protocol
            || ValueOf(lines, "Sec-WebSocket-Extensions") is not null)
            throw new CheckFailedException("a WebSocket is answered as if another one had been asked for");
    }

    // A byte at a time: what follows the head are frames already.
    private static async Task<string> ReadHeadAsync(SslStream stream, CancellationToken cancel)
    {
        var head = new byte[LongestHead];
        for (var length = 0; length < head.Length;)
        {
            if (await stream.ReadAsync(head.AsMemory(length, 1), cancel) == 0)
                throw new CheckFailedException("the connection was closed instead of an answer to a WebSocket");
            length++;
            if (head.AsSpan(0, length).EndsWith(EndOfHead))
                return Encoding.Latin1.GetString(head.AsSpan(0, length));
        }

        throw new CheckFailedException("the answer to a WebSocket has no end");
    }

    private static string? ValueOf(string[] lines, string name)
    {
        var start = name + ":";
        var line = Array.Find(lines, one => one.StartsWith(start, StringComparison.OrdinalIgnoreCase));
        return line?[start.Length..].Trim();
    }

    [SuppressMessage("Security", "CA5350", Justification = "The protocol has this hash and this text; nothing secret hangs on either.")]
    private static string AcceptOf(string key) =>
        Convert.ToBase64String(SHA1.HashData(Encoding.ASCII.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
}
