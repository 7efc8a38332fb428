using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Portico.Protocol.WebProxy;

namespace Portico.SelfTest.WebApp;

/// <summary>Requests of an app that has an HTTP library and no page: HTTP/2 where the host has it, on one connection.</summary>
internal sealed class AppHttp : IDisposable
{
    // A batch, and no page of ours is longer.
    private const int MostBody = WebBatchReader.MaxLength;

    private static readonly UriCreationOptions Raw = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpMessageInvoker _http;

    public AppHttp(WebDoor door)
    {
        Door = door;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            MaxResponseHeadersLength = 16, // KB
            ActivityHeadersPropagator = null,
            SslOptions = { RemoteCertificateValidationCallback = door.IsTrusted },
            ConnectCallback = async (_, cancel) => new NetworkStream(await door.Dial(cancel), ownsSocket: true),
        });
    }

    /// <summary>Whom it asks.</summary>
    public WebDoor Door { get; }

    /// <summary>The path that targets of a session begin with.</summary>
    public string Base => Door.BridgeUrl.AbsolutePath;

    /// <summary>A request of this host.</summary>
    /// <param name="method">Its method.</param>
    /// <param name="target">Path and query, sent as they stand.</param>
    /// <param name="token">Who asks; null = nobody in particular.</param>
    /// <param name="body">Frames; null = none.</param>
    public HttpRequestMessage Request(HttpMethod method, string target, string? token = null, byte[]? body = null)
    {
        var request = new HttpRequestMessage(method, new Uri($"https://{Door.BridgeUrl.Host}{target}", Raw))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        if (token is not null)
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (body is null) return request;
        request.Content = new ByteArrayContent(body);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return request;
    }

    /// <summary>Sends one and takes the whole answer.</summary>
    /// <exception cref="CheckFailedException">There is none, or it is longer than any of ours.</exception>
    public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        var answer = await BeginAsync(request, cancel);
        try
        {
            await answer.Content.LoadIntoBufferAsync(MostBody, cancel);
            return answer;
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            answer.Dispose();
            throw new CheckFailedException($"an answer breaks off: {Reason(problem)}");
        }
    }

    /// <summary>Sends one and takes the head of the answer.</summary>
    /// <exception cref="CheckFailedException">There is none.</exception>
    public async Task<HttpResponseMessage> BeginAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using (request)
        {
            try
            {
                return await _http.SendAsync(request, cancel);
            }
            catch (Exception problem) when (problem is HttpRequestException or IOException)
            {
                throw new CheckFailedException($"no answer: {Reason(problem)}");
            }
        }
    }

    /// <summary>What a page of this host says.</summary>
    /// <exception cref="CheckFailedException">There is no answer.</exception>
    public async Task<(HttpStatusCode Status, string Text)> ReadAsync(string target, CancellationToken cancel)
    {
        using var answer = await SendAsync(Request(HttpMethod.Get, target), cancel);
        return (answer.StatusCode, Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync(cancel)));
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    // The innermost one names what happened; those around it say that something did.
    private static string Reason(Exception problem) => problem.GetBaseException().Message.ReplaceLineEndings(" ");
}
