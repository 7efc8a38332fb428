using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Portico.Web.Site;

/// <summary>A file of the site.</summary>
/// <param name="Bytes">All of it.</param>
/// <param name="ContentType">By its name.</param>
/// <param name="Modified">When it was written, in whole seconds.</param>
/// <param name="Tag">Changes with the bytes.</param>
internal sealed record SiteFile(byte[] Bytes, string ContentType, DateTimeOffset Modified, EntityTagHeaderValue Tag);

/// <summary>A site out of memory. What it says depends on its own files alone: no path of ours is one to it.</summary>
/// <param name="files">By path.</param>
/// <param name="missing">Shown where there is no file; null = nothing is.</param>
internal sealed class StaticSite(FrozenDictionary<string, SiteFile> files, SiteFile? missing) : IWebSite
{
    /// <summary>A site without files.</summary>
    public static StaticSite Empty { get; } = new(FrozenDictionary<string, SiteFile>.Empty, null);

    public Task AnswerAsync(HttpContext context, string target)
    {
        var isHead = HttpMethods.IsHead(context.Request.Method);
        if (!isHead && !HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "GET, HEAD";
            context.Response.ContentLength = 0;
            return Task.CompletedTask;
        }

        // Decoded, and without dot segments.
        if (files.TryGetValue(context.Request.Path.Value ?? "", out var file))
        {
            return TypedResults.Bytes(
                file.Bytes, file.ContentType, enableRangeProcessing: true, lastModified: file.Modified, entityTag: file.Tag)
                .ExecuteAsync(context);
        }

        return SayMissingAsync(context.Response, isHead);
    }

    private Task SayMissingAsync(HttpResponse response, bool isHead)
    {
        response.StatusCode = StatusCodes.Status404NotFound;
        response.ContentLength = missing?.Bytes.Length ?? 0;
        if (missing is null) return Task.CompletedTask;
        response.ContentType = missing.ContentType;
        return isHead ? Task.CompletedTask : response.Body.WriteAsync(missing.Bytes).AsTask();
    }
}
