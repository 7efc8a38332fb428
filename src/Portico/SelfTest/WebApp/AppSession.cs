using System.Globalization;
using System.Net;
using Portico.Protocol.WebProxy;

namespace Portico.SelfTest.WebApp;

/// <summary>One session of a WEB proxy, as an app without a page has it: strict about every answer, as such apps are.</summary>
internal sealed class AppSession
{
    private const string Target = "api/v1/session";

    private readonly AppHttp _http;

    private AppSession(AppHttp http, string token) => (_http, Token) = (http, token);

    /// <summary>What its requests show.</summary>
    public string Token { get; }

    /// <summary>Whom it is with.</summary>
    public WebDoor Door => _http.Door;

    /// <summary>Between the halves of the answer to <see cref="Trial"/>.</summary>
    public static TimeSpan TrialPause { get; } = TimeSpan.FromSeconds(1);

    /// <summary>Where its frames go to.</summary>
    public string UpTarget => _http.Base + "api/v1/up";

    /// <summary>What a WebSocket of it is asked for with.</summary>
    public string SocketTarget => _http.Base + "api/v1/ws";

    /// <summary>Reads the bridge page and makes a session of it.</summary>
    /// <exception cref="CheckFailedException">What comes is not what apps need.</exception>
    public static async Task<AppSession> EnterAsync(AppHttp http, CancellationToken cancel) =>
        await TryCreateAsync(http, await AppPage.ReadAsync(http, cancel), forwardedFor: null, cancel)
        ?? throw new CheckFailedException("the bridge page is there, and what it needs is answered by the site");

    /// <summary>Makes a session of a page.</summary>
    /// <param name="http">The page's host.</param>
    /// <param name="page">The page.</param>
    /// <param name="forwardedFor">What the app says of its own address; null = nothing, as apps do.</param>
    /// <param name="cancel">Nobody waits any more.</param>
    /// <returns>Null if the answer is one for strangers.</returns>
    /// <exception cref="CheckFailedException">It is ours, and not what apps need.</exception>
    public static async Task<AppSession?> TryCreateAsync(
        AppHttp http, AppPage page, string? forwardedFor, CancellationToken cancel)
    {
        var request = http.Request(HttpMethod.Post, http.Base + Target, page.Bootstrap, WebFrame.Hello.ToArray());
        if (forwardedFor is not null)
            request.Headers.TryAddWithoutValidation("X-Forwarded-For", forwardedFor);
        using var answer = await http.SendAsync(request, cancel);
        if (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            throw new CheckFailedException("no session now (503): the proxy is full or stops");
        var token = HeaderOf(answer, "X-Session-Token");
        if (answer.StatusCode != HttpStatusCode.OK || token.Length == 0) return null;
        var welcome = await answer.Content.ReadAsByteArrayAsync(cancel);
        if (!welcome.AsSpan().SequenceEqual(WebFrame.Welcome) || HeaderOf(answer, "X-Carrier-Mode") != page.CarrierMode
            || HeaderOf(answer, "X-Down-Cursor") != "0")
            throw new CheckFailedException("the session is answered without WELCOME, or with another carrier than the page's");
        return new AppSession(http, token);
    }

    /// <summary>Frames up.</summary>
    /// <exception cref="CheckFailedException">They were not taken.</exception>
    public async Task PostAsync(ulong number, byte[] frames, uint? lane, CancellationToken cancel)
    {
        var request = OnLane(_http.Request(HttpMethod.Post, UpTarget, Token, frames), lane);
        request.Headers.Add("X-Up-Seq", Text(number));
        using var answer = await _http.SendAsync(request, cancel);
        if (answer.StatusCode != HttpStatusCode.NoContent || HeaderOf(answer, "X-Up-Ack") != Text(number))
            throw new CheckFailedException($"frames were answered with {(int)answer.StatusCode}");
    }

    /// <summary>A request for frames, which waits at the proxy.</summary>
    public HttpRequestMessage Poll(ulong cursor, uint? lane)
    {
        var request = OnLane(_http.Request(HttpMethod.Post, _http.Base + "api/v1/down", Token), lane);
        request.Headers.Add("X-Down-Cursor", Text(cursor));
        return request;
    }

    /// <summary>A request whose answer comes in two halves: it shows whether somebody on the way keeps the first.</summary>
    public HttpRequestMessage Trial()
    {
        var request = _http.Request(HttpMethod.Post, _http.Base + "api/v1/down", Token);
        request.Headers.Add("X-Down-Trial", "1");
        return request;
    }

    /// <summary>Frames down.</summary>
    /// <returns>A batch; empty = none came while it waited; null = none will come any more.</returns>
    /// <exception cref="CheckFailedException">The session is over, or the answer is not one to this cursor.</exception>
    public async Task<byte[]?> AskAsync(ulong cursor, uint? lane, CancellationToken cancel)
    {
        using var answer = await _http.SendAsync(Poll(cursor, lane), cancel);
        var said = HeaderOf(answer, "X-Down-Cursor");
        switch (answer.StatusCode)
        {
            case HttpStatusCode.NoContent when said == Text(cursor):
                return HeaderOf(answer, "X-Lane-Closed").Length > 0 ? null : [];
            case HttpStatusCode.OK when said == Text(cursor + 1):
                return await answer.Content.ReadAsByteArrayAsync(cancel);
            default:
                throw new CheckFailedException($"a request for frames was answered with {(int)answer.StatusCode}, cursor \"{said}\"");
        }
    }

    /// <summary>Ends it.</summary>
    /// <exception cref="CheckFailedException">The proxy does not know it.</exception>
    public async Task EndAsync(CancellationToken cancel)
    {
        using var answer = await _http.SendAsync(_http.Request(HttpMethod.Delete, _http.Base + Target, Token), cancel);
        if (answer.StatusCode != HttpStatusCode.NoContent)
            throw new CheckFailedException($"the end of the session was answered with {(int)answer.StatusCode}");
    }

    private static HttpRequestMessage OnLane(HttpRequestMessage request, uint? lane)
    {
        if (lane is { } stream) request.Headers.Add("X-Lane-ID", Text(stream));
        return request;
    }

    private static string HeaderOf(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
