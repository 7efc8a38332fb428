using System.Net;
using System.Net.Http.Headers;

namespace Portico.Core.Telegram;

/// <summary>How a download ended. The names are values of a metric's label.</summary>
internal enum DownloadResult
{
    /// <summary>The body came, and was of use.</summary>
    Ok,

    /// <summary>No whole answer in time.</summary>
    Timeout,

    /// <summary>No connection, no TLS, or the answer broke off.</summary>
    Unreachable,

    /// <summary>An answer other than 200.</summary>
    Status,

    /// <summary>More bytes than such a document can have.</summary>
    TooLarge,

    /// <summary>The body is not what was asked for.</summary>
    Invalid,
}

/// <summary>What metrics call a <see cref="DownloadResult"/>.</summary>
internal static class DownloadResults
{
    public static string Tag(this DownloadResult result) => result switch
    {
        DownloadResult.Ok => "ok",
        DownloadResult.Timeout => "timeout",
        DownloadResult.Unreachable => "unreachable",
        DownloadResult.Status => "status",
        DownloadResult.TooLarge => "too_large",
        DownloadResult.Invalid => "invalid",
        _ => throw new ArgumentOutOfRangeException(nameof(result)),
    };
}

/// <summary>The end of one download.</summary>
/// <param name="Result">What happened.</param>
/// <param name="Body">All bytes if <see cref="DownloadResult.Ok"/>.</param>
/// <param name="Reason">For the log, if it failed; holds nothing of the answer.</param>
internal readonly record struct Download(DownloadResult Result, byte[] Body, string Reason)
{
    public static Download Failed(DownloadResult result, string reason) => new(result, [], reason);
}

/// <summary>
/// Fetches small documents over HTTP and trusts none of them:
/// bounded in bytes and time, nothing but 200, no cookies, no proxy.
/// </summary>
internal sealed class Downloader(HttpMessageHandler handler, TimeSpan timeout, TimeProvider time) : IDisposable
{
    private const int MostRedirects = 3;

    private static readonly ProductInfoHeaderValue UserAgent = new(
        "portico", typeof(Downloader).Assembly.GetName().Version?.ToString(3) ?? "0");

    // Not HttpClient: its time limit has a clock of its own.
    private readonly HttpMessageInvoker _http = new(handler);

    /// <summary>The handler that goes to the network.</summary>
    public static HttpMessageHandler OverNetwork() => new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        MaxResponseHeadersLength = 16, // KB
        // An hour passes between two uses, and names may lead elsewhere by then.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
    };

    /// <summary>Gets <paramref name="url"/>. Redirects are followed within the same host if they lead to https.</summary>
    /// <param name="url">http or https.</param>
    /// <param name="limit">Bytes that the body may have.</param>
    /// <param name="stop">Ends it at once.</param>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/>.</exception>
    public async Task<Download> GetAsync(Uri url, int limit, CancellationToken stop)
    {
        using var clock = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, stop);
        try
        {
            for (var redirects = 0; ; redirects++)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, url);
                request.Headers.UserAgent.Add(UserAgent);
                using var response = await _http.SendAsync(request, both.Token).ConfigureAwait(false);
                if (response.StatusCode == HttpStatusCode.OK)
                    return await ReadAsync(response.Content, limit, both.Token).ConfigureAwait(false);
                if (redirects == MostRedirects || RedirectOf(response, url) is not { } target)
                    return Download.Failed(DownloadResult.Status, $"answered with status {(int)response.StatusCode}");
                url = target;
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return Download.Failed(DownloadResult.Timeout, $"no whole answer within {timeout.TotalMilliseconds} ms");
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            return Download.Failed(
                DownloadResult.Unreachable,
                problem is HttpRequestException { HttpRequestError: not HttpRequestError.Unknown and var error }
                    ? $"could not be reached ({error})"
                    : "could not be reached");
        }
    }

    public void Dispose() => _http.Dispose();

    private static async Task<Download> ReadAsync(HttpContent content, int limit, CancellationToken stop)
    {
        var tooLarge = Download.Failed(DownloadResult.TooLarge, $"answered with more than {limit} bytes");
        if (content.Headers.ContentLength > limit) return tooLarge;
        using var body = await content.ReadAsStreamAsync(stop).ConfigureAwait(false);
        var buffer = new byte[limit + 1]; // one more shows that there is more
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, stop).ConfigureAwait(false);
        return length > limit ? tooLarge : new Download(DownloadResult.Ok, buffer[..length], "");
    }

    private static Uri? RedirectOf(HttpResponseMessage response, Uri from)
    {
        if ((int)response.StatusCode is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location)
            return null;
        var target = new Uri(from, location);
        return target.Scheme == Uri.UriSchemeHttps && target.Host == from.Host ? target : null;
    }
}
