using Portico.Alerts;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Time;

namespace Portico.IntegrationTests.Alerts;

/// <summary>A proxy by a manual clock, a receiver, and the watch between them.</summary>
internal sealed class AlertStage : IAsyncDisposable
{
    public const string Name = "host-of-the-proxy", Version = "1.2.3";

    // Short of the second in which hanging answers would make a test long, long enough for a busy machine's loopback.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2), Step = TimeSpan.FromSeconds(1),
        LongTime = TimeSpan.FromMinutes(5), LongStep = TimeSpan.FromSeconds(20);

    private AlertStage(ManualTime time, AlertReceiver receiver, ProxyUnderTest test, AlertWatch watch) =>
        (Time, Receiver, Test, Watch) = (time, receiver, test, watch);

    public ManualTime Time { get; }

    public AlertReceiver Receiver { get; }

    public ProxyUnderTest Test { get; }

    public AlertWatch Watch { get; }

    /// <param name="change">What differs from a proxy that is well.</param>
    /// <param name="behaviour">Of Telegram.</param>
    /// <param name="clockAhead">Of the proxy's clock before that of clients.</param>
    /// <param name="webhook">Whom it tells; null = the receiver.</param>
    /// <param name="isOff">It begins without a receiver.</param>
    /// <param name="patience">How long an answer may take.</param>
    public static AlertStage Start(
        Func<ProxySettings, ProxySettings>? change = null, DcBehaviour? behaviour = null, TimeSpan clockAhead = default,
        string? webhook = null, bool isOff = false, TimeSpan? patience = null)
    {
        var time = new ManualTime(TimeProvider.System.GetUtcNow() + clockAhead);
        var receiver = new AlertReceiver(time);
        var to = isOff ? null : WebhookAddress.Of(webhook ?? receiver.Url);
        var test = ProxyUnderTest.Start(
            EngineKind.Auto, settings => (change?.Invoke(settings) ?? settings) with { Alerts = new AlertSettings { Webhook = to } },
            behaviour, time);
        var watch = AlertWatch.Start(test.Proxy, Name, Version, test.Logs.Factory, time, patience ?? Patience);
        return new AlertStage(time, receiver, test, watch);
    }

    /// <summary>Lets time pass until an alert of a kind has come, and so many of it in all.</summary>
    public async Task<PostedAlert> UntilAsync(string kind, int count = 1)
    {
        await Test.AdvanceUntilAsync(Step, () => Receiver.Of(kind).Count() >= count, what: $"{count} alerts {kind}");
        return Receiver.Of(kind).ElementAt(count - 1);
    }

    /// <summary>Lets so much time pass.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        var end = Time.GetUtcNow() + time;
        await Test.AdvanceUntilAsync(time > LongTime ? LongStep : Step, () => Time.GetUtcNow() >= end);
    }

    public async ValueTask DisposeAsync()
    {
        await Watch.DisposeAsync();
        await Test.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}
