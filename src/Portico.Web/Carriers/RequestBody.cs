using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Portico.Web.Carriers;

/// <summary>Reads bodies of requests that are known to be ours: only for these there are bounds of our own.</summary>
internal static class RequestBody
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Reads a whole body.</summary>
    /// <param name="context">Its request.</param>
    /// <param name="most">Bytes.</param>
    /// <returns>
    /// What came, valid until <see cref="Release"/>, which has to be called; null if it is too long, too slow, or was not sent to its end.
    /// </returns>
    public static async Task<ReadOnlySequence<byte>?> TryReadAsync(HttpContext context, int most)
    {
        var bound = context.Features.Get<IHttpMaxRequestBodySizeFeature>();
        if (bound is { IsReadOnly: false }) bound.MaxRequestBodySize = most;
        using var hurry = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        hurry.CancelAfter(Patience);
        var reader = context.Request.BodyReader;
        try
        {
            while (true)
            {
                var result = await reader.ReadAsync(hurry.Token).ConfigureAwait(false);
                if (result.IsCompleted) return result.Buffer;
                // Nothing is taken out of the connection's buffers before it is all there, so they are what bounds it.
                reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            return null;
        }
    }

    /// <summary>The body is not needed any more.</summary>
    public static void Release(HttpContext context, in ReadOnlySequence<byte> body) => context.Request.BodyReader.AdvanceTo(body.End);

    /// <summary>Whether a request has no body, or one of no bytes.</summary>
    public static async Task<bool> IsEmptyAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
            return true;
        if (context.Request.ContentLength > 0) return false;
        if (await TryReadAsync(context, most: 0).ConfigureAwait(false) is not { } body)
            return false;
        Release(context, body);
        return body.IsEmpty;
    }

    /// <summary>Whether it says to have frames, in exactly these words.</summary>
    public static bool IsOctets(HttpRequest request) => request.Headers.ContentType is [CarrierAnswer.Octets];
}
