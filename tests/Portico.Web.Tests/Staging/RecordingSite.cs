using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Portico.Web.Tests.Staging;

/// <summary>A web server behind the host that keeps what it was asked, byte for byte, and answers each the same.</summary>
internal sealed class RecordingSite : IAsyncDisposable
{
    public const string Answer = "HTTP/1.1 200 OK\r\nServer: site\r\nX-Two: b\r\nX-Two: a\r\nSet-Cookie: s=1\r\nETag: \"1\"\r\n"
        + "Content-Type: text/plain\r\nContent-Length: 5\r\nX-Umlaut: \u00e4\r\n\r\nhello";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _running;

    public RecordingSite()
    {
        _listener.Start();
        Address = new Uri($"http://{_listener.LocalEndpoint}");
        _running = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Requests so far, heads and bodies as they came.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>How a request is answered; an upgrade goes on as an echo.</summary>
    public Func<string, string> AnswerTo { get; set; } = request => request.StartsWith("HEAD ", StringComparison.Ordinal)
        ? Answer[..^5]
        : Answer;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _running;
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true) connections.Add(ServeAsync(await _listener.AcceptSocketAsync(_end.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var request = "";
                while (!RawHttp.IsWhole(request, hasNoBody: false))
                {
                    var count = await socket.ReceiveAsync(buffer, _end.Token);
                    if (count == 0) return;
                    request += Encoding.Latin1.GetString(buffer, 0, count);
                }

                Requests.Enqueue(request);
                var answer = AnswerTo(request);
                await socket.SendAsync(Encoding.Latin1.GetBytes(answer), _end.Token);
                if (!answer.StartsWith("HTTP/1.1 101", StringComparison.Ordinal)) continue;
                while (await socket.ReceiveAsync(buffer, _end.Token) is var count and > 0)
                    await socket.SendAsync(buffer.AsMemory(0, count), _end.Token);
                return;
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException)
        {
        }
    }
}
