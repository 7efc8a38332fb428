using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Portico.Admin.Access;
using Portico.Admin.Api;
using Portico.Admin.Dashboard;
using Portico.Core.Control;

namespace Portico.Admin;

/// <summary>What every request goes through, from outside: errors become documents, who may not is refused, the operation runs.</summary>
internal sealed partial class RequestPipeline(AccessControl access, ILogger log)
{
    /// <summary>Outermost: whatever goes wrong, the caller gets a document that says so.</summary>
    public async Task CatchAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.ContentSecurityPolicy = DashboardFiles.Policy;
        context.Response.Headers["Referrer-Policy"] = "no-referrer";
        Answer? problem = null;
        try
        {
            await next(context).ConfigureAwait(false);
            if (!context.Response.HasStarted && context.Response.StatusCode >= StatusCodes.Status400BadRequest)
                problem = Answer.Problem(context.Response.StatusCode, WordsOf(context));
        }
        catch (Exception error) when (error is OperationCanceledException or IOException && context.RequestAborted.IsCancellationRequested)
        {
            return; // it has left
        }
        catch (BadHttpRequestException error)
        {
            problem = Answer.Problem(error.StatusCode, error.Message);
        }
        catch (ProxyBusyException error)
        {
            problem = Answer.Problem(StatusCodes.Status503ServiceUnavailable, error.Message);
        }
        catch (Exception error)
        {
            Log.Faulted(log, error, context.Request.Method);
            problem = Answer.Problem(
                StatusCodes.Status500InternalServerError, "an exception of the proxy; please report it. The log has more");
        }

        if (problem is null || context.Response.HasStarted) return;
        await problem.WriteAsync(context).ConfigureAwait(false);
    }

    /// <summary>Behind the routes, which say what is wanted.</summary>
    public async Task AdmitAsync(HttpContext context, RequestDelegate next)
    {
        var operation = context.GetEndpoint()?.Metadata.GetMetadata<Operation>();
        var refusal = access.Refusal(context, operation);
        var most = operation?.MostBody ?? AdminServer.MostBody;
        if (refusal is null && context.Request.ContentLength > most)
        {
            context.Response.Headers.Connection = "close"; // nobody reads it
            refusal = Answer.Problem(StatusCodes.Status413PayloadTooLarge, $"a body may have {most} bytes");
        }

        // Of those who may: all others keep to the little that every request may bring.
        if (refusal is null && most > AdminServer.MostBody
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = most;
        }

        if (refusal is null) await next(context).ConfigureAwait(false);
        else await refusal.WriteAsync(context).ConfigureAwait(false);
    }

    /// <summary>Innermost.</summary>
    public static async Task AnswerAsync(HttpContext context, Operation operation, Func<HttpContext, Task<Answer>> run)
    {
        var answer = Input.Unknown(context, operation) ?? await run(context).ConfigureAwait(false);
        await answer.WriteAsync(context).ConfigureAwait(false);
    }

    private static string WordsOf(HttpContext context) => context.Response.StatusCode switch
    {
        StatusCodes.Status404NotFound => "there is nothing here; /openapi/v1.json lists what there is",
        StatusCodes.Status405MethodNotAllowed => $"not by this method, but by {context.Response.Headers.Allow}",
        _ => "the request was refused",
    };

    private static partial class Log
    {
        [LoggerMessage(EventId = 2201, EventName = "RequestFaulted", Level = LogLevel.Error,
            Message = "A {Method} request to the administration ended by an exception of the proxy; please report it")]
        public static partial void Faulted(ILogger logger, Exception error, string method);
    }
}
