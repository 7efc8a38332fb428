using System.Diagnostics;
using System.Net;
using System.Text;
using Portico.Core.Options;
using Portico.Protocol.WebProxy;
using Portico.SelfTest;
using Portico.SelfTest.WebApp;

namespace Portico.Doctor.Checks;

/// <summary>What a server in front of a WEB host may do wrong, tried one by one. Each gives a finding, or null if all is well.</summary>
/// <param name="http">The host.</param>
/// <param name="session">Of the one who tries.</param>
/// <param name="web">The host's settings.</param>
/// <param name="patience">For one answer.</param>
/// <param name="look">Called while a connection of the session is open.</param>
internal sealed class DoorTrials(AppHttp http, AppSession session, WebSettings web, TimeSpan patience, Action look)
{
    // An address of documents (RFC 5737), and what is none.
    private const string Somebody = "203.0.113.7", Nobody = "unknown";

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(27), Brief = TimeSpan.FromSeconds(2);

    private readonly string _host = web.Address.Host;

    /// <summary>How long a request for frames waited, or was let wait; null = it was not tried, or was cut.</summary>
    public TimeSpan? Waited { get; private set; }

    /// <summary>Does it let WebSockets through?</summary>
    public async Task<Finding?> OpenSocketAsync(CancellationToken stop)
    {
        uint? lane = web.Carriers.Contains(WebCarrier.WebSocket) ? null : AppStream.Id;
        if (lane is not null && !web.Carriers.Contains(WebCarrier.WebSocketLanes)) return null;
        try
        {
            using var socket = await AppSocket.OpenAsync(session, lane, stop);
            look();
            return null;
        }
        catch (CheckFailedException problem)
        {
            return Diagnoses.DoorNoSocket.Found(
                $"{_host}: {problem.Message}: apps wait for a WebSocket, up to 3 s, and use requests then",
                "let the server in front pass on Upgrade and Connection (docs/web-proxy.md has a sample), "
                    + "or leave websocket out of web.carriers");
        }
    }

    /// <summary>Does it write X-Forwarded-For itself? Only then what is no address comes through as one.</summary>
    public async Task<Finding?> ForwardAsync(CancellationToken stop)
    {
        if (web.Trusted.IsEmpty || await IsTakenAsync(Nobody, stop)) return null;
        return await IsTakenAsync(Somebody, stop)
            ? Diagnoses.DoorClaims.Found(
                $"{_host}: the server in front does not write X-Forwarded-For, and passes on what clients claim in it: every app seems to "
                    + "be that server, or whoever it says",
                "nginx: `proxy_set_header X-Forwarded-For $remote_addr`; HAProxy: `http-request set-header X-Forwarded-For %[src]`")
            : Diagnoses.DoorAppends.Found(
                $"{_host}: the server in front adds to an X-Forwarded-For that came with the request: who sends one, or comes through "
                    + "another server, gets the site instead of the proxy",
                "let it write the header anew, in nginx `proxy_set_header X-Forwarded-For $remote_addr`, "
                    + "not `$proxy_add_x_forwarded_for`");
    }

    /// <summary>Does it pass on a request as it comes? One that is refused by its head is answered before its body is there.</summary>
    public async Task<Finding?> CollectAsync(CancellationToken stop)
    {
        await using var stream = await session.Door.ConnectAsync(stop);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Brief < patience ? Brief : patience);
        try
        {
            await stream.WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"POST {session.UpTarget} HTTP/1.1\r\nHost: {_host}\r\nAuthorization: Bearer {session.Token}\r\n"
                        + "Content-Type: application/octet-stream\r\nContent-Length: 8\r\n\r\n"),
                limit.Token);
            await stream.ReadExactlyAsync(new byte[1], limit.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return Diagnoses.DoorCollects.Found(
                $"{_host}: the server in front keeps a request until all of it is there: frames of apps come late, and take its disk",
                "nginx: `proxy_request_buffering off`");
        }
        catch (IOException)
        {
            // closed: it did not wait for the rest
        }

        return null;
    }

    /// <summary>Does it pass on an answer as it comes?</summary>
    public async Task<Finding?> BufferAsync(CancellationToken stop)
    {
        using var answer = await http.BeginAsync(session.Trial(), stop);
        if (answer.StatusCode != HttpStatusCode.OK || await GapAsync(answer, stop) >= AppSession.TrialPause / 2)
            return null;
        return Diagnoses.DoorBuffers.Found(
            $"{_host}: the server in front keeps an answer until all of it is there: downloads come in lumps, and late",
            "nginx: `proxy_buffering off`, and no proxy_ignore_headers; Caddy: `flush_interval -1`; no compression for this host");
    }

    /// <summary>Does it let a request for frames wait? Tried for as long as there is time.</summary>
    public async Task<Finding?> WaitAsync(CancellationToken stop)
    {
        if (!web.Carriers.Contains(WebCarrier.Https)) return null;
        var most = 1.5 * patience < LongestWait ? 1.5 * patience : LongestWait;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(most);
        var start = Stopwatch.GetTimestamp();
        string problem;
        try
        {
            using var answer = await http.SendAsync(session.Poll(cursor: 0, lane: null), limit.Token);
            Waited = Stopwatch.GetElapsedTime(start);
            if (answer.StatusCode == HttpStatusCode.NoContent) return null;
            problem = $"with {(int)answer.StatusCode}";
        }
        catch (CheckFailedException failed)
        {
            problem = $"({failed.Message})";
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            Waited = most;
            return null;
        }

        Waited = null;
        var seconds = FormattableString.Invariant($"{Stopwatch.GetElapsedTime(start).TotalSeconds:0.#}");
        return Diagnoses.DoorCuts.Found(
            $"{_host}: a request for frames, which waits up to 25 s, was ended after {seconds} s {problem}: apps lose time and battery "
                + "over asking again, or take the host for broken",
            "let the server in front wait for 90 s, in nginx `proxy_read_timeout 90s`, in HAProxy `timeout server 90s`");
    }

    private async Task<bool> IsTakenAsync(string forwardedFor, CancellationToken stop)
    {
        var other = await AppSession.TryCreateAsync(http, await AppPage.ReadAsync(http, stop), forwardedFor, stop);
        if (other is not null) await other.EndAsync(stop);
        return other is not null;
    }

    // Between the first and the last byte.
    private async Task<TimeSpan> GapAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(stop);
            var buffer = new byte[256];
            await body.ReadExactlyAsync(buffer.AsMemory(0, 1), stop);
            var first = Stopwatch.GetTimestamp();
            look();
            while (await body.ReadAsync(buffer, stop) > 0)
            {
            }

            return Stopwatch.GetElapsedTime(first);
        }
        catch (Exception problem) when (problem is IOException or HttpRequestException)
        {
            throw new CheckFailedException($"an answer breaks off: {problem.GetBaseException().Message.ReplaceLineEndings(" ")}");
        }
    }
}
