using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.RegularExpressions;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Web;

/// <summary>
/// An app that speaks HTTP itself and runs no page, as forks and libraries do: it reads three texts out of the bridge page, and is strict
/// about everything that follows.
/// </summary>
public sealed partial class PagelessClient : IDisposable
{
    private readonly SocketsHttpHandler _handler;
    private readonly HttpMessageInvoker _http;
    private readonly Uri _bridge;
    private readonly Version _version;
    private int _connections;

    /// <param name="server">Where the host is, whatever its name resolves to.</param>
    /// <param name="bridgeUrl">What an app makes of its link.</param>
    /// <param name="version">Of HTTP.</param>
    /// <param name="isTls">Whether to speak TLS; no certificate is refused.</param>
    /// <param name="preface">What each connection begins with; null = nothing.</param>
    public PagelessClient(EndPoint server, string bridgeUrl, Version version, bool isTls, byte[]? preface = null)
    {
        _bridge = new Uri(isTls ? bridgeUrl : bridgeUrl.Replace("https:", "http:", StringComparison.Ordinal));
        _version = version;
        _handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null },
            ConnectCallback = (_, cancel) =>
            {
                Interlocked.Increment(ref _connections);
                return ConnectAsync(server, preface, cancel);
            },
        };
        _http = new HttpMessageInvoker(_handler);
    }

    /// <summary>What the page says; empty before <see cref="OpenPageAsync"/>.</summary>
    public string Bootstrap { get; private set; } = "";

    public string CarrierMode { get; private set; } = "";

    /// <summary>Empty before <see cref="CreateAsync"/>.</summary>
    public string SessionToken { get; private set; } = "";

    /// <summary>Made so far.</summary>
    public int Connections => _connections;

    private string Path => _bridge.AbsolutePath;

    /// <summary>Reads the bridge page.</summary>
    public async Task OpenPageAsync()
    {
        using var answer = await SendAsync(Request(HttpMethod.Get, _bridge.PathAndQuery));
        var html = await answer.Content.ReadAsStringAsync();
        if (answer.StatusCode != HttpStatusCode.OK || answer.Content.Headers.ContentType?.MediaType != "text/html")
            throw new PeerSurpriseException($"{answer.StatusCode} instead of the bridge page");
        Bootstrap = TheOne(BootstrapText().Matches(html));
        CarrierMode = TheOne(CarrierText().Matches(html));
        if (TheOne(LimitText().Matches(html)) != WebBatchReader.MaxLength.ToString(CultureInfo.InvariantCulture))
            throw new PeerSurpriseException("another limit for batches than ours");
    }

    /// <summary>Makes a session of the page's token.</summary>
    public async Task CreateAsync()
    {
        using var answer = await TryCreateAsync();
        Expect(answer, HttpStatusCode.OK);
        SessionToken = Header(answer, "X-Session-Token");
        var body = await answer.Content.ReadAsByteArrayAsync();
        if (!body.AsSpan().SequenceEqual(WebFrame.Welcome) || SessionToken.Length != WebTokenKey.TextLength
            || Header(answer, "X-Carrier-Mode") != CarrierMode || Header(answer, "X-Down-Cursor") != "0")
            throw new PeerSurpriseException("a session that is none");
    }

    /// <summary>The page and a session.</summary>
    public async Task EnterAsync()
    {
        await OpenPageAsync();
        await CreateAsync();
    }

    public Task<HttpResponseMessage> TryCreateAsync(byte[]? body = null) =>
        SendAsync(Request(HttpMethod.Post, Path + "api/v1/session", Bootstrap, Octets(body ?? WebFrame.Hello.ToArray())));

    public Task<HttpResponseMessage> DeleteAsync() => SendAsync(Request(HttpMethod.Delete, Path + "api/v1/session", SessionToken));

    /// <summary>Frames up.</summary>
    public Task<HttpResponseMessage> PostAsync(ulong number, byte[] frames, uint? lane = null) => PostAsync($"{number}", frames, lane);

    public Task<HttpResponseMessage> PostAsync(string number, byte[] frames, uint? lane = null)
    {
        var request = Request(HttpMethod.Post, Path + "api/v1/up", SessionToken, Octets(frames));
        request.Headers.Add("X-Up-Seq", number);
        return SendAsync(OnLane(request, lane));
    }

    /// <summary>Frames down.</summary>
    public Task<HttpResponseMessage> AskAsync(ulong cursor, uint? lane = null, CancellationToken leave = default)
    {
        var request = Request(HttpMethod.Post, Path + "api/v1/down", SessionToken);
        request.Headers.Add("X-Down-Cursor", $"{cursor}");
        return SendAsync(OnLane(request, lane), leave);
    }

    /// <summary>A WebSocket for all streams, or for one.</summary>
    /// <exception cref="WebSocketException">It was refused.</exception>
    public async Task<ClientWebSocket> OpenSocketAsync(uint? lane = null)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = _version;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.CollectHttpResponseDetails = true;
        var protocol = lane is null ? $"tproxy-v1.{SessionToken}" : $"tproxy-lane-v1.{SessionToken}.{lane}";
        socket.Options.AddSubProtocol(protocol);
        using var clock = new CancellationTokenSource(Wire.Patience);
        var url = new UriBuilder(_bridge) { Scheme = _bridge.Scheme == "https" ? "wss" : "ws", Path = Path + "api/v1/ws", Query = "" };
        await socket.ConnectAsync(url.Uri, _http, clock.Token);
        if (socket.SubProtocol != protocol)
            throw new PeerSurpriseException($"subprotocol {socket.SubProtocol}");
        if (socket.HttpResponseHeaders!.ContainsKey("Sec-WebSocket-Extensions"))
            throw new PeerSurpriseException("extensions");
        return socket;
    }

    /// <summary>Any request of the host.</summary>
    public HttpRequestMessage Request(HttpMethod method, string target, string? token = null, HttpContent? content = null)
    {
        var raw = new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true };
        var request = new HttpRequestMessage(method, new Uri($"{_bridge.Scheme}://{_bridge.Host}{target}", raw))
        {
            Version = _version,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return request;
    }

    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken leave = default)
    {
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(leave);
        clock.CancelAfter(2 * Wire.Patience);
        var answer = await _http.SendAsync(request, clock.Token);
        await answer.Content.LoadIntoBufferAsync(clock.Token);
        return answer;
    }

    /// <summary>The value of a header that is there once.</summary>
    public static string Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? values.Single() : throw new PeerSurpriseException($"no {name}");

    /// <exception cref="PeerSurpriseException">It is another status, or may be kept by somebody.</exception>
    public static void Expect(HttpResponseMessage answer, HttpStatusCode status)
    {
        if (answer.StatusCode != status)
            throw new PeerSurpriseException($"{(int)answer.StatusCode}, not {(int)status}");
        if (answer.Headers.CacheControl?.ToString() != "no-store")
            throw new PeerSurpriseException("an answer without no-store");
    }

    public void Dispose() => _http.Dispose();

    private static HttpRequestMessage OnLane(HttpRequestMessage request, uint? lane)
    {
        if (lane is not null) request.Headers.Add("X-Lane-ID", $"{lane}");
        return request;
    }

    private static ByteArrayContent Octets(byte[] bytes) =>
        new(bytes) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };

    private static string TheOne(MatchCollection matches) =>
        matches.Count == 1
            ? matches[0].Groups[1].Value
            : throw new PeerSurpriseException($"{matches.Count} times what is in the page once");

    private static async ValueTask<Stream> ConnectAsync(EndPoint server, byte[]? preface, CancellationToken cancel)
    {
        var isUnix = server.AddressFamily == AddressFamily.Unix;
        var socket = new Socket(server.AddressFamily, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        if (!isUnix) socket.NoDelay = true;
        await socket.ConnectAsync(server, cancel);
        var stream = new NetworkStream(socket, ownsSocket: true);
        if (preface is not null) await stream.WriteAsync(preface, cancel);
        return stream;
    }

    [GeneratedRegex("bootstrap=\"([A-Za-z0-9_-]{43})\"")]
    private static partial Regex BootstrapText();

    [GeneratedRegex("carrierMode=\"([a-z-]+)\"")]
    private static partial Regex CarrierText();

    [GeneratedRegex("batchLimit=([0-9]+)")]
    private static partial Regex LimitText();
}
