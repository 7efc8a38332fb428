using System.Globalization;
using Microsoft.AspNetCore.Http;
using Portico.Core.Web;

namespace Portico.Web.Carriers;

/// <summary>What the answers to carriers have in common.</summary>
internal static class CarrierAnswer
{
    public const string UpNumber = "X-Up-Seq", UpDone = "X-Up-Ack", DownCursor = "X-Down-Cursor";

    public const string Lane = "X-Lane-ID", LaneClosed = "X-Lane-Closed";

    public const string DownTrial = "X-Down-Trial";

    public const string SessionToken = "X-Session-Token", Mode = "X-Carrier-Mode";

    public const string Octets = "application/octet-stream";

    /// <summary>Nobody on the way keeps it or holds it back.</summary>
    public static void Begin(HttpResponse response)
    {
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>It went well, and there is nothing to say.</summary>
    public static void Done(HttpResponse response) => response.StatusCode = StatusCodes.Status204NoContent;

    /// <summary>The request was wrong, or what it is about is over.</summary>
    public static void Refuse(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status404NotFound;
        response.ContentLength = 0;
    }

    /// <summary>The same request in a second.</summary>
    public static void Again(HttpResponse response, WebReport report)
    {
        report.SaidAgain();
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.RetryAfter = "1";
        response.ContentLength = 0;
    }

    /// <summary>Frames.</summary>
    /// <param name="response">Whose status and headers but for the type are set.</param>
    /// <param name="frames">Not needed any more when this is done.</param>
    public static async Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> frames)
    {
        response.ContentType = Octets;
        response.ContentLength = frames.Length;
        await response.BodyWriter.WriteAsync(frames).ConfigureAwait(false);
    }

    /// <summary>A number as headers have it.</summary>
    public static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
