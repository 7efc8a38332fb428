using System.Net;
using System.Net.Sockets;
using System.Text;
using Portico.Protocol.TelegramConfig;

namespace Portico.SelfTest;

/// <summary>The site that gives proxies the secret and the list of middle proxies: HTTP/1.1, one request per connection.</summary>
internal sealed class StandInSite(MiddleProxySecret secret, ProxyConfigDocument list)
{
    private const string SecretPath = "/getProxySecret", ListPath = "/getProxyConfig";
    private const int LongestRequest = 4096;

    private static ReadOnlySpan<byte> EndOfRequest => "\r\n\r\n"u8;

    /// <summary>Where a site that listens here has the secret.</summary>
    public static Uri SecretUrl(IPEndPoint site) => new($"http://{site}{SecretPath}");

    /// <summary>Where a site that listens here has the list.</summary>
    public static Uri ListUrl(IPEndPoint site) => new($"http://{site}{ListPath}");

    /// <summary>Serves one connection.</summary>
    public async Task ServeAsync(Socket socket, CancellationToken cancel)
    {
        var request = new byte[LongestRequest];
        for (var length = 0; request.AsSpan(0, length).IndexOf(EndOfRequest) < 0;)
        {
            var count = await socket.ReceiveAsync(request.AsMemory(length), cancel);
            if (count == 0) return;
            length += count;
        }

        var (status, body) = Answer(Encoding.Latin1.GetString(request).Split(' ', 3));
        await socket.SendWholeAsync(
            Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"), cancel);
        await socket.SendWholeAsync(body, cancel);
    }

    private (string Status, byte[] Body) Answer(string[] words) => words switch
    {
        ["GET", SecretPath, _] => ("200 OK", secret.Bytes.ToArray()),
        ["GET", ListPath, _] => ("200 OK", Encoding.ASCII.GetBytes(list.Write())),
        _ => ("404 Not Found", []),
    };
}
