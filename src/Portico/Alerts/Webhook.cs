using System.Globalization;
using System.Net.Http.Headers;
using Microsoft.Extensions.Logging;
using Portico.Core.Options;
using Portico.Web;

namespace Portico.Alerts;

/// <summary>
/// Posts alerts, one after the other, and tries again when that fails. Nothing of the address but its host, and nothing that the receiver
/// says, gets into the log.
/// </summary>
/// <param name="proxy">Name of this machine.</param>
/// <param name="version">Of the program.</param>
/// <param name="count">Is given kind and result of each.</param>
/// <param name="log">Hears of failures, once a minute.</param>
/// <param name="time">The clock of pauses.</param>
/// <param name="patience">How long an answer may take, by the clock of sockets.</param>
internal sealed partial class Webhook(
    string proxy, string version, Action<string, string> count, ILogger log, TimeProvider time, TimeSpan patience) : IDisposable
{
    private static readonly TimeSpan[] Pauses = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(25)];

    private readonly OnceAMinute _lines = new(time);

    // Not through a proxy of the environment's; where it leads elsewhere is not followed, since the answer is not the operator's word.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        ActivityHeadersPropagator = null,
        MaxResponseDrainSize = 0,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Posts one, with up to three more attempts.</summary>
    /// <param name="to">Whom.</param>
    /// <param name="alert">What.</param>
    /// <param name="stopping">No further attempt is made.</param>
    /// <param name="hurry">What is under way ends.</param>
    public async Task SendAsync(WebhookAddress to, Alert alert, CancellationToken stopping, CancellationToken hurry)
    {
        var body = alert.ToJson(proxy, version);
        for (var attempt = 0; ; attempt++)
        {
            if (await PostAsync(to, body, hurry) is not { } problem)
            {
                count(alert.Kind, "sent");
                return;
            }

            if (attempt == Pauses.Length || stopping.IsCancellationRequested || !await WaitAsync(Pauses[attempt], stopping))
            {
                count(alert.Kind, "failed");
                if (_lines.IsDue()) Log.Failed(log, alert.Kind, to, problem);
                return;
            }
        }
    }

    /// <summary>No more of it.</summary>
    public void Dispose() => _http.Dispose();

    // Null: it was taken.
    private async Task<string?> PostAsync(WebhookAddress to, byte[] body, CancellationToken hurry)
    {
        using var clock = new CancellationTokenSource(patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(clock.Token, hurry);
        try
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var request = new HttpRequestMessage(HttpMethod.Post, to.Reveal()) { Content = content };
            request.Headers.UserAgent.Add(new ProductInfoHeaderValue(new ProductHeaderValue("portico")));
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            var status = ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
            return (int)answer.StatusCode switch
            {
                >= 200 and < 300 => null,
                >= 300 and < 400 => $"it leads elsewhere ({status}), which is not followed",
                _ => $"it answers {status}",
            };
        }
        catch (HttpRequestException problem)
        {
            return problem.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => "its name leads nowhere",
                HttpRequestError.ConnectionError => "it cannot be connected to",
                HttpRequestError.SecureConnectionError => "its certificate or TLS is not good",
                _ => "it gives no answer of HTTP",
            };
        }
        catch (OperationCanceledException)
        {
            return hurry.IsCancellationRequested ? "the proxy stops" : $"it did not answer within {patience.TotalSeconds:0.#} s";
        }
    }

    private async Task<bool> WaitAsync(TimeSpan pause, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(pause, time, stopping);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9601, EventName = "AlertNotSent", Level = LogLevel.Warning,
            Message = "An alert ({Kind}) could not be posted to {Address}: {Problem}. It is not tried again; see whether the receiver runs "
                + "and alerts.webhook is right")]
        public static partial void Failed(ILogger logger, string kind, WebhookAddress address, string problem);
    }
}
