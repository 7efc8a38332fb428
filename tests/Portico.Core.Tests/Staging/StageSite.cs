using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Portico.Core.Tests.Staging;

/// <summary>Web sites without a network. An address that nobody has set up cannot be reached.</summary>
internal sealed class StageSite : HttpMessageHandler
{
    private readonly ConcurrentDictionary<string, Func<CancellationToken, Task<HttpResponseMessage>>> _answers = [];

    /// <summary>The address of each request, in order.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>The User-Agent of each request.</summary>
    public ConcurrentQueue<string> UserAgents { get; } = [];

    public bool IsDisposed { get; private set; }

    public void Serve(string url, byte[] body, HttpStatusCode status = HttpStatusCode.OK) =>
        _answers[url] = _ => Task.FromResult(new HttpResponseMessage(status) { Content = new ByteArrayContent(body) });

    public void Serve(string url, string body, HttpStatusCode status = HttpStatusCode.OK) =>
        Serve(url, Encoding.Latin1.GetBytes(body), status);

    /// <summary>A body whose length nobody announces.</summary>
    public void Serve(string url, Stream body) =>
        _answers[url] = _ => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(body) });

    public void Redirect(string url, string target, HttpStatusCode status = HttpStatusCode.Found) => _answers[url] = _ =>
    {
        var response = new HttpResponseMessage(status) { Content = new ByteArrayContent([]) };
        response.Headers.TryAddWithoutValidation("Location", target);
        return Task.FromResult(response);
    };

    /// <summary>Takes the request and never answers. The task completes when a request is there.</summary>
    public Task Hang(string url)
    {
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _answers[url] = async stop =>
        {
            asked.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, stop);
            throw new InvalidOperationException("unreachable");
        };
        return asked.Task;
    }

    public void Vanish(string url) => _answers.TryRemove(url, out _);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        var url = request.RequestUri!.ToString();
        Requests.Enqueue(url);
        UserAgents.Enqueue(request.Headers.UserAgent.ToString());
        return _answers.TryGetValue(url, out var answer)
            ? answer(cancellationToken)
            : throw new HttpRequestException(HttpRequestError.ConnectionError, "nobody is there");
    }

    protected override void Dispose(bool disposing)
    {
        IsDisposed = true;
        base.Dispose(disposing);
    }
}
