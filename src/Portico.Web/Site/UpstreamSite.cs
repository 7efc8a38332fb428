using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Forwarder;

namespace Portico.Web.Site;

/// <summary>A site that another web server has: it gets every request as it came, but for what belongs to the connection.</summary>
internal sealed partial class UpstreamSite : IWebSite, IDisposable
{
    private static readonly ForwarderRequestConfig Config = new()
    {
        Version = HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        ActivityTimeout = TimeSpan.FromMinutes(5),
    };

    private const int MostConnections = 512;

    private readonly string _server;
    private readonly Func<string> _host;
    private readonly IHttpForwarder _forwarder;
    private readonly ILogger _log;
    private readonly OnceAMinute _warnings;
    private readonly HttpMessageInvoker _client;

    /// <param name="server">Scheme, host and port.</param>
    /// <param name="host">Whom visitors ask for who name nobody.</param>
    /// <param name="forwarder">Passes requests on.</param>
    /// <param name="loggers">Where lines go.</param>
    /// <param name="time">The clock.</param>
    public UpstreamSite(Uri server, Func<string> host, IHttpForwarder forwarder, ILoggerFactory loggers, TimeProvider time)
    {
        _server = server.GetLeftPart(UriPartial.Authority);
        _host = host;
        _forwarder = forwarder;
        _log = loggers.CreateLogger<UpstreamSite>();
        _warnings = new OnceAMinute(time);
        _client = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            // Nor does it tell traces of what is asked.
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // Each takes a descriptor, of which clients need some too.
            MaxConnectionsPerServer = MostConnections,
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
        });
    }

    public async Task AnswerAsync(HttpContext context, string target)
    {
        if (IsPlainConnect(context))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }

        var unchanged = new Unchanged(_server + Escaped(PathOf(target)), _host());
        var error = await _forwarder.SendAsync(context, _server, _client, Config, unchanged).ConfigureAwait(false);
        if (error == ForwarderError.None || context.Response.HasStarted) return;
        // The one answer, whichever way the server failed; below it is what the visitor did wrong.
        if (context.Response.StatusCode >= StatusCodes.Status500InternalServerError)
            context.Response.StatusCode = StatusCodes.Status502BadGateway;
        if (error is ForwarderError.Request or ForwarderError.RequestTimedOut && _warnings.IsDue())
            Log.Unreachable(_log, _server);
    }

    public void Dispose() => _client.Dispose();

    // CONNECT that asks for no WebSocket is for proxies of another kind, and has no path to pass on.
    private static bool IsPlainConnect(HttpContext context) =>
        HttpMethods.IsConnect(context.Request.Method)
        && !(context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: { } protocol }
            && protocol.Equals("websocket", StringComparison.OrdinalIgnoreCase));

    // Of the forms of targets (RFC 9112, section 3.2) one that names the server too says no more than what is behind it.
    private static string PathOf(string target)
    {
        if (target.StartsWith('/')) return target;
        var authority = target.IndexOf("://", StringComparison.Ordinal);
        var path = authority < 0 ? -1 : target.AsSpan(authority + 3).IndexOfAny('/', '?');
        if (path < 0) return "/";
        var rest = target[(authority + 3 + path)..];
        return rest.StartsWith('/') ? rest : "/" + rest;
    }

    // A target goes into a line of text. What no target may hold, and the web server in front of us lets through (HTTP/2 has no lines),
    // would end that line and begin one of the visitor's own.
    internal static string Escaped(string path)
    {
        if (!path.AsSpan().ContainsAnyExceptInRange('!', '~')) return path;
        var escaped = new StringBuilder(path.Length + 16);
        foreach (var character in path)
        {
            if (character is >= '!' and <= '~') escaped.Append(character);
            else foreach (var value in Encoding.UTF8.GetBytes([character])) escaped.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
        }

        return escaped.ToString();
    }

    private sealed class Unchanged(string uri, string host) : HttpTransformer
    {
        // Escapes and dots in it are the site's to read.
        private static readonly UriCreationOptions Raw = new() { DangerousDisablePathAndQueryCanonicalization = true };

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken).ConfigureAwait(false);
            proxyRequest.RequestUri = new Uri(uri, Raw);
            // Without one the server's own address would be sent, which it may show.
            if (string.IsNullOrEmpty(proxyRequest.Headers.Host)) proxyRequest.Headers.Host = host;
            // The library takes it for a matter of the connection.
            if (httpContext.Request.Headers.UpgradeInsecureRequests is { Count: > 0 } upgrade)
                proxyRequest.Headers.TryAddWithoutValidation(HeaderNames.UpgradeInsecureRequests, upgrade.ToArray());
        }

        public override async ValueTask<bool> TransformResponseAsync(
            HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
        {
            var isCopied = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken).ConfigureAwait(false);
            // One clock on all answers of the host.
            httpContext.Response.Headers.Remove(HeaderNames.Date);
            return isCopied;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2341, EventName = "WebSiteUnreachable", Level = LogLevel.Warning,
            Message = "The web server at {Server}, which has the site, does not answer: visitors see 502 on every path")]
        public static partial void Unreachable(ILogger logger, string server);
    }
}
