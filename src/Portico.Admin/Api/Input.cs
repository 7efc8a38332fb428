using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Portico.Admin.Api;

/// <summary>Reads what a request brings; what is wrong with it becomes the answer.</summary>
internal static class Input
{
    /// <summary>The parameter <c>limit</c>.</summary>
    /// <param name="context">The request.</param>
    /// <param name="most">The largest number allowed.</param>
    /// <param name="limit">The number, 100 if it is absent.</param>
    public static Answer? Limit(HttpContext context, int most, out int limit)
    {
        const int Usual = 100;
        limit = Usual;
        if (Query(context, "limit") is not { } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit >= 1 && limit <= most
            ? null
            : Answer.Problem(StatusCodes.Status400BadRequest, $"limit must be a number from 1 to {most}", "limit");
    }

    /// <summary>A parameter of the query; null = it is absent or empty.</summary>
    public static string? Query(HttpContext context, string name) =>
        context.Request.Query[name] is [{ Length: > 0 } text, ..] ? text : null;

    /// <summary>A parameter of the path.</summary>
    public static string Path(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    /// <summary>Parameters of the query that the operation does not have: misspelt ones would be ignored.</summary>
    public static Answer? Unknown(HttpContext context, Operation operation)
    {
        foreach (var name in context.Request.Query.Keys)
        {
            if (operation.Parameters.Any(parameter => !parameter.IsInPath && parameter.Name == name))
                continue;
            var known = string.Join(", ", operation.Parameters.Where(parameter => !parameter.IsInPath).Select(parameter => parameter.Name));
            return Answer.Problem(
                StatusCodes.Status400BadRequest,
                known.Length == 0 ? "there are no parameters here" : $"the parameters here are {known}", name);
        }

        return null;
    }

    /// <summary>The body.</summary>
    /// <typeparam name="T">Its shape.</typeparam>
    /// <param name="context">The request.</param>
    /// <param name="type">The same.</param>
    /// <returns>The body, or what is wrong with it; neither if there is none.</returns>
    public static async Task<(T? Value, Answer? Problem)> BodyAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            return default;
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted).ConfigureAwait(false);
        if (body.Length == 0) return default;
        try
        {
            var value = JsonSerializer.Deserialize(body.GetBuffer().AsSpan(0, (int)body.Length), type);
            return value is null
                ? (null, Answer.Problem(StatusCodes.Status400BadRequest, "the body must be an object of JSON"))
                : (value, null);
        }
        catch (JsonException problem)
        {
            return (null, Misshapen(problem));
        }
    }

    /// <summary>The body as it is, for operations that have to know what is missing in it.</summary>
    /// <returns>An object, or what is wrong with it.</returns>
    public static async Task<(JsonObject? Value, Answer? Problem)> ObjectAsync(HttpContext context)
    {
        try
        {
            var options = new JsonDocumentOptions { AllowDuplicateProperties = false };
            var node = await JsonNode.ParseAsync(context.Request.Body, null, options, context.RequestAborted).ConfigureAwait(false);
            return node is JsonObject value
                ? (value, null)
                : (null, Answer.Problem(StatusCodes.Status400BadRequest, "the body must be an object of JSON"));
        }
        catch (JsonException problem)
        {
            return (null, Misshapen(problem));
        }
        catch (InvalidOperationException)
        {
            return (null, Answer.Problem(StatusCodes.Status400BadRequest, "a text of the body holds half of a surrogate pair"));
        }
    }

    /// <summary>The answer to a body that cannot be read.</summary>
    public static Answer Misshapen(JsonException problem)
    {
        var key = problem.Path is { Length: > 2 } path ? path[2..] : null; // behind "$."
        var where = problem.LineNumber is { } line
            ? string.Create(CultureInfo.InvariantCulture, $" (line {line + 1}, byte {problem.BytePositionInLine + 1})")
            : "";
        return Answer.Problem(StatusCodes.Status400BadRequest, $"the body is not what is expected here{where}; see /openapi/v1.json", key);
    }
}
