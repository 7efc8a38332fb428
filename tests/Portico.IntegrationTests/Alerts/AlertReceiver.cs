using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Portico.IntegrationTests.Alerts;

/// <summary>One request as it came.</summary>
/// <param name="Head">Line and fields.</param>
/// <param name="Body">What was posted.</param>
/// <param name="At">By the clock of the test.</param>
internal sealed record PostedAlert(string Head, string Body, DateTimeOffset At)
{
    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();

    public string Kind => (string)Json["kind"]!;

    public bool IsResolved => Json.ContainsKey("resolved");
}

/// <summary>A web server on loopback that takes alerts, or does what receivers do that are out of order.</summary>
internal sealed class AlertReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<PostedAlert> _posted = new();
    private readonly ConcurrentBag<Task> _answering = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly Task _accepting;

    public AlertReceiver(TimeProvider time)
    {
        _time = time;
        _listener.Start();
        Url = $"http://{_listener.LocalEndpoint}/hook/{Token}?key={Token}";
        _accepting = AcceptAsync();
    }

    /// <summary>Stands in path and query, and nowhere else.</summary>
    public const string Token = "TokenOfTheReceiver";

    public string Url { get; }

    /// <summary>What comes back; null = nothing ever does.</summary>
    public string? Answer { get; set; } = "204 No Content";

    /// <summary>All that came, answered or not.</summary>
    public IReadOnlyList<PostedAlert> Posted => [.. _posted];

    public IEnumerable<PostedAlert> Of(string kind) => Posted.Where(it => it.Kind == kind);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_answering);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _answering.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                var (head, body) = await ReadAsync(stream);
                _posted.Enqueue(new PostedAlert(head, body, _time.GetUtcNow()));
                if (Answer is null) await Task.Delay(Timeout.InfiniteTimeSpan, _stop.Token);
                var answer = $"HTTP/1.1 {Answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
            }
            catch (Exception end) when (end is OperationCanceledException or IOException)
            {
                // The caller has left, or the test is over.
            }
        }
    }

    private async Task<(string Head, string Body)> ReadAsync(NetworkStream stream)
    {
        const string Length = "Content-Length: ";
        var (all, buffer) = (new List<byte>(), new byte[4096]);
        while (true)
        {
            var text = Encoding.UTF8.GetString([.. all]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0 && text.IndexOf(Length, StringComparison.Ordinal) is var place and >= 0)
            {
                var digits = text[(place + Length.Length)..].Split('\r')[0];
                var body = all.Skip(Encoding.UTF8.GetByteCount(text[..end]) + 4).ToArray();
                if (body.Length >= int.Parse(digits, CultureInfo.InvariantCulture))
                    return (text[..end], Encoding.UTF8.GetString(body));
            }

            var read = await stream.ReadAsync(buffer, _stop.Token);
            if (read == 0) throw new IOException("it ended in the middle of a request");
            all.AddRange(buffer[..read]);
        }
    }
}
