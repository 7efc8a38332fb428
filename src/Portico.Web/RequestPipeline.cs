using System.Security.Cryptography;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;
using Portico.Web.Carriers;
using Portico.Web.Doors;
using Portico.Web.Page;
using Portico.Web.Site;

namespace Portico.Web;

/// <summary>
/// What every request of the host goes through. Whoever shows no credential in exactly its place is answered by the site, on every path.
/// Nothing of a request is ever logged.
/// </summary>
/// <param name="gate">The gate in force.</param>
/// <param name="site">What everybody else sees.</param>
/// <param name="services">Of the web server.</param>
/// <param name="loggers">Where lines go.</param>
/// <param name="time">The clock.</param>
internal sealed partial class RequestPipeline(
    Func<WebGate> gate, SiteInForce site, IServiceProvider services, ILoggerFactory loggers, TimeProvider time)
    : IHttpApplication<HttpContext>
{
    private readonly ILogger _log = loggers.CreateLogger<RequestPipeline>();
    private readonly ClientAddresses _clients = new(loggers, time);
    private volatile BridgePage? _page;

    public HttpContext CreateContext(IFeatureCollection contextFeatures) =>
        new DefaultHttpContext(contextFeatures) { RequestServices = services };

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        try
        {
            await AnswerAsync(context, gate()).ConfigureAwait(false);
        }
        catch (Exception error) when (IsOfTheConnection(error) || context.RequestAborted.IsCancellationRequested)
        {
            context.Abort();
        }
        catch (BadHttpRequestException error) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = error.StatusCode;
        }
        catch (Exception error)
        {
            // Not the exception itself: its message may quote what was asked.
            Log.Faulted(_log, error.GetType().Name, error.StackTrace);
            if (context.Response.HasStarted) context.Abort();
            else context.Response.StatusCode = StatusCodes.Status500InternalServerError;
        }
    }

    // No state of its own: what is read of a request here must not stay in memory while it waits for frames.
    private Task AnswerAsync(HttpContext context, WebGate current)
    {
        var request = IncomingRequest.Of(context);
        var route = current.Router.Route(request);

        // 1. An app that shows its capability.
        if (route.Kind == WebRouteKind.Bridge)
            return ShowPageAsync(context, current, route);

        // 2. A page or an app that shows a token.
        if (route.Kind == WebRouteKind.Transport && _clients.Find(context, current) is { } client)
        {
            Vouch(context, current, route);
            return CarrierRequests.AnswerAsync(context, current, route, client);
        }

        // 3. Everybody else. What is good of credentials does not go on to the site.
        return route.Kind == WebRouteKind.Public
            ? site.For(current).AnswerAsync(context, request.Target)
            : PassScrubbedAsync(context, current, request);
    }

    // On a shared port it came as a stranger's connection, of which there may be few.
    private static void Vouch(HttpContext context, WebGate current, WebRoute route)
    {
        if (context.Features.Get<NamedConnection>() is not { } connection || current.Sessions.Find(route.Token) is null)
            return;
        if (connection.TryNoteClient()) current.Sessions.Vouch(connection.Name);
    }

    private async Task ShowPageAsync(HttpContext context, WebGate current, WebRoute route)
    {
        var page = PageOf(current);
        if (await page.TryAnswerAsync(context, current.Users[route.CapabilityIndex]).ConfigureAwait(false))
            return;
        await PassScrubbedAsync(context, current, IncomingRequest.Of(context)).ConfigureAwait(false);
    }

    private Task PassScrubbedAsync(HttpContext context, WebGate current, WebRequestHead request)
    {
        var scrubbed = IncomingRequest.Replace(context, current.Router.Scrub(request, RandomNumberGenerator.Fill));
        return site.For(current).AnswerAsync(context, scrubbed.Target);
    }

    // Two that build the same page at once do no harm.
    private BridgePage PageOf(WebGate current)
    {
        var page = _page;
        return page?.Gate == current ? page : _page = new BridgePage(current);
    }

    private static bool IsOfTheConnection(Exception error) => error is ConnectionResetException or ConnectionAbortedException;

    private static partial class Log
    {
        [LoggerMessage(EventId = 2311, EventName = "WebRequestFaulted", Level = LogLevel.Error,
            Message = "A request of the WEB host ended by an exception of the proxy ({Kind}); please report it:\n{Stack}")]
        public static partial void Faulted(ILogger logger, string kind, string? stack);
    }
}
