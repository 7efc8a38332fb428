using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Portico.Commands;
using Portico.Core.Control;

namespace Portico.Questions;

/// <summary>Asks the running proxy through its HTTP interface: over a unix socket, or at an address with a token.</summary>
internal sealed class AdminClient : IDisposable
{
    // The proxy answers within two seconds or says that it is busy; a reload may have many users to look at.
    private static readonly TimeSpan UsualPatience = TimeSpan.FromSeconds(30);

    /// <summary>Another process starts before the answer.</summary>
    public static readonly TimeSpan PatienceForStarts = TimeSpan.FromSeconds(90);

    // All managed users with their secrets are the largest answer.
    private const int MostBytes = 64 * 1024 * 1024;

    private readonly HttpClient _http;
    private readonly string _place;

    private AdminClient(SocketsHttpHandler handler, Uri at, string place, string? token)
    {
        handler.UseProxy = false; // it is here, or the operator named it
        handler.AllowAutoRedirect = false;
        _place = place;
        _http = new HttpClient(handler) { BaseAddress = at, Timeout = UsualPatience, MaxResponseContentBufferSize = MostBytes };
        if (token is not null)
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    /// <summary>For how long an answer is waited for.</summary>
    public TimeSpan Patience
    {
        get => _http.Timeout;
        set => _http.Timeout = value;
    }

    /// <summary>Over the first of these sockets that somebody listens on.</summary>
    public static AdminClient OverSocket(ImmutableArray<string> places) => new(
        new SocketsHttpHandler { ConnectCallback = async (_, cancel) => await ConnectAsync(places, cancel) },
        new Uri("http://localhost/"), string.Join(" or ", places), token: null);

    /// <summary>At an address.</summary>
    /// <param name="url">With the port; what stands behind the host is left out.</param>
    /// <param name="token">Its secret; null = it needs none.</param>
    public static AdminClient At(Uri url, string? token) =>
        new(new SocketsHttpHandler(), new Uri(url.GetLeftPart(UriPartial.Authority)), url.GetLeftPart(UriPartial.Authority), token);

    /// <summary>What is answered, as text.</summary>
    /// <param name="method">GET or POST.</param>
    /// <param name="path">From the slash on.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>The status and the body, whatever they are.</returns>
    /// <exception cref="CommandFailure">Nobody answers there: no proxy is running.</exception>
    public Task<(HttpStatusCode Status, string Body)> AskAsync(HttpMethod method, string path, CancellationToken cancel) =>
        AskAsync(method, path, body: null, cancel);

    /// <summary>The same with a body.</summary>
    /// <param name="method">Any.</param>
    /// <param name="path">From the slash on.</param>
    /// <param name="body">JSON; null = none.</param>
    /// <param name="cancel">Ends the wait.</param>
    /// <returns>The status and the body, whatever they are.</returns>
    /// <exception cref="CommandFailure">Nobody answers there: no proxy is running.</exception>
    public async Task<(HttpStatusCode Status, string Body)> AskAsync(
        HttpMethod method, string path, string? body, CancellationToken cancel)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
                request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await _http.SendAsync(request, cancel);
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync(cancel));
        }
        catch (HttpRequestException error)
        {
            var why = (error.InnerException ?? error).Message;
            if (error.HttpRequestError != HttpRequestError.ConnectionError || IsForbidden(error))
                throw new CommandFailure(ExitCode.Failed, $"{_place} could not be asked: {why}");
            throw new CommandFailure(ExitCode.NotRunning, $"no proxy is running: nobody answers at {_place} ({why})");
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new CommandFailure(ExitCode.Failed, $"{_place} did not answer within {Patience.TotalSeconds} s");
        }
    }

    /// <summary>The body of an answer of 200.</summary>
    /// <exception cref="CommandFailure">It was another one, in the words of the proxy; or nobody answers.</exception>
    public async Task<string> GetAsync(string path, CancellationToken cancel)
    {
        var (status, body) = await AskAsync(HttpMethod.Get, path, cancel);
        return status == HttpStatusCode.OK ? body : throw Refused(status, body);
    }

    /// <summary>The same, read.</summary>
    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel) =>
        Read(await GetAsync(path, cancel), type);

    /// <summary>What stands on all pages of a list, or on as many as it takes.</summary>
    /// <param name="path">Of the list.</param>
    /// <param name="most">So many items are enough.</param>
    /// <param name="type">Of a page.</param>
    /// <param name="read">Its items, and where the next one begins; null = it was the last.</param>
    /// <param name="cancel">Ends the wait.</param>
    public async Task<(List<TItem> Items, bool IsAll)> GetAllAsync<TPage, TItem>(
        string path, int most, JsonTypeInfo<TPage> type, Func<TPage, (IEnumerable<TItem> Items, string? Next)> read,
        CancellationToken cancel)
    {
        var all = new List<TItem>();
        string? next = null;
        do
        {
            var from = next is null ? "" : $"&cursor={Uri.EscapeDataString(next)}";
            var limit = Math.Min(ProxyControl.MostOnPage, most - all.Count);
            (var items, next) = read(await GetAsync($"{path}?limit={limit}{from}", type, cancel));
            all.AddRange(items);
        }
        while (next is not null && all.Count < most);
        return (all, next is null);
    }

    /// <summary>What a body says.</summary>
    /// <exception cref="CommandFailure">Something else than was asked for.</exception>
    public T Read<T>(string body, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw Strange();
        }
        catch (JsonException)
        {
            throw Strange();
        }
    }

    /// <summary>An answer that is no success, as the end of a command.</summary>
    public CommandFailure Refused(HttpStatusCode status, string body)
    {
        var why = TryReadProblem(body)?.Detail ?? "no reason given";
        var help = status == HttpStatusCode.Unauthorized ? "; name the file of the token with --token-file" : "";
        return new(ExitCode.Failed, $"{_place} answered {(int)status}: {why}{help}");
    }

    public void Dispose() => _http.Dispose();

    private static bool IsForbidden(HttpRequestException error) =>
        error.InnerException is SocketException { SocketErrorCode: SocketError.AccessDenied };

    private static Problem? TryReadProblem(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, AnswersJson.Default.Problem);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<Stream> ConnectAsync(ImmutableArray<string> places, CancellationToken cancel)
    {
        SocketException? last = null;
        foreach (var place in places)
        {
            if (Encoding.UTF8.GetByteCount(place) > MostPathBytes) continue;
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(place), cancel);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (OperationCanceledException)
            {
                socket.Dispose();
                throw;
            }
            catch (SocketException error)
            {
                socket.Dispose();
                // Whoever may not open the one that is there shall hear that, and not that the other one is missing.
                if (last is null || error.SocketErrorCode == SocketError.AccessDenied) last = error;
            }
        }

        throw last ?? new SocketException((int)SocketError.AddressNotAvailable);
    }

    // What fits into an address (man 7 unix), less its end.
    private const int MostPathBytes = 107;

    private CommandFailure Strange() =>
        new(ExitCode.Failed, $"what answers at {_place} is no proxy of this version");
}
