using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Portico.TestKit.Wires;

namespace Portico.Web.Tests.Staging;

/// <summary>HTTP/1.1 as bytes, a character each.</summary>
internal static partial class RawHttp
{
    /// <summary>Sends bytes on a connection of their own.</summary>
    /// <returns>All that comes until the server has finished: with the answer, or with the connection.</returns>
    public static async Task<string> AskAsync(EndPoint server, string request)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server, clock.Token);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request), clock.Token);
        var isHead = request.StartsWith("HEAD ", StringComparison.Ordinal);
        var answer = "";
        var buffer = new byte[64 * 1024];
        while (!IsWhole(answer, isHead))
        {
            var count = await ReceiveAsync(socket, buffer, clock.Token);
            if (count <= 0) return answer + (count < 0 ? "RESET" : "");
            answer += Encoding.Latin1.GetString(buffer, 0, count);
        }

        // How the connection goes on belongs to the answer.
        if (!answer.Contains("\r\nConnection: close\r\n", StringComparison.Ordinal)) return answer;
        return await ReceiveAsync(socket, buffer, clock.Token) == 0 ? answer + "CLOSED" : answer + "MORE";
    }

    /// <summary>Sends bytes, waits a moment for an answer, whatever it is, and hangs up.</summary>
    public static async Task SendAsync(EndPoint server, string request)
    {
        using var moment = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        using var socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(server);
            await socket.SendAsync(Encoding.Latin1.GetBytes(request), moment.Token);
            await socket.ReceiveAsync(new byte[100], moment.Token);
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException)
        {
            // it has answered by hanging up, or waits for more
        }
    }

    /// <summary>The same answer at another time is the same.</summary>
    public static string WithoutDate(string answer) => Date().Replace(answer, "Date: now");

    /// <summary>A request for a WebSocket.</summary>
    public static string Handshake(string target, string protocol) =>
        $"GET {target} HTTP/1.1\r\nHost: {WebHostUnderTest.Host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        + $"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAECAwQFBgcICQoLDA0ODw==\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n";

    /// <summary>Whether bytes are a whole message: its length, its chunks, or what needs neither.</summary>
    public static bool IsWhole(string message, bool hasNoBody)
    {
        var end = message.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return false;
        var head = message[..(end + 4)];
        if (head.StartsWith("HTTP/1.1 100 ", StringComparison.Ordinal))
            return IsWhole(message[head.Length..], hasNoBody);
        if (hasNoBody) return true;
        if (ContentLength().Match(head) is { Success: true } length)
            return message.Length >= head.Length + int.Parse(length.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        if (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            return message.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        return !head.StartsWith("HTTP/", StringComparison.Ordinal) || Bodiless().IsMatch(head);
    }

    private static async Task<int> ReceiveAsync(Socket socket, byte[] buffer, CancellationToken cancel)
    {
        try
        {
            return await socket.ReceiveAsync(buffer, cancel);
        }
        catch (SocketException)
        {
            return -1;
        }
    }

    [GeneratedRegex("^Date: [^\r]*", RegexOptions.Multiline)]
    private static partial Regex Date();

    [GeneratedRegex("\r\nContent-Length: ([0-9]+)\r\n", RegexOptions.IgnoreCase)]
    private static partial Regex ContentLength();

    [GeneratedRegex("^HTTP/1.1 (101|204|304) ")]
    private static partial Regex Bodiless();
}
