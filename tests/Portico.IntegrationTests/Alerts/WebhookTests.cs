using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Portico.Configuration;
using Portico.Core.Options;
using Portico.TestKit.Telegram;
using Xunit;

namespace Portico.IntegrationTests.Alerts;

/// <summary>Receivers that are out of order, and what they cost.</summary>
public sealed class WebhookTests
{
    [Theory]
    [InlineData("500 Internal Server Error", "it answers 500")]
    [InlineData("302 Found\r\nLocation: /elsewhere", "it leads elsewhere (302), which is not followed")]
    [InlineData("404 Not Found", "it answers 404")]
    public async Task An_answer_that_is_no_yes_is_tried_three_times_more_and_then_told(string answer, string told)
    {
        await using var stage = AlertStage.Start(behaviour: new DcBehaviour { Refuses = true });
        stage.Receiver.Answer = answer;
        await MissAsync(stage);

        await stage.UntilAsync("dc_down", 4);
        await stage.Test.Metrics.UntilAsync("portico_alerts_total", 1, ("kind", "dc_down"), ("result", "failed"));
        var times = stage.Receiver.Of("dc_down").Select(it => it.At).ToList();
        // Steps of a second, and as many more as the answer took.
        Assert.InRange(times[1] - times[0], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        Assert.InRange(times[2] - times[1], TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(15));
        Assert.InRange(times[3] - times[2], TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(60));
        Assert.All(stage.Receiver.Posted, it => Assert.Contains("/hook/", it.Head, StringComparison.Ordinal));
        var line = stage.Test.Logs.Lines.First(it => it.EventName == "AlertNotSent");
        Assert.Contains(told, line.Text, StringComparison.Ordinal);
        Assert.Contains(new Uri(stage.Receiver.Url).Authority, line.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(stage.Test.Logs.Lines, it => it.Text.Contains(AlertReceiver.Token, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_receiver_that_fails_once_gets_the_same_alert_a_second_later()
    {
        await using var stage = AlertStage.Start(behaviour: new DcBehaviour { Refuses = true });
        stage.Receiver.Answer = "503 Service Unavailable";
        await MissAsync(stage);
        var first = await stage.UntilAsync("dc_down");
        stage.Receiver.Answer = "200 OK";
        var second = await stage.UntilAsync("dc_down", 2);
        await stage.Test.Metrics.UntilAsync("portico_alerts_total", 1, ("kind", "dc_down"), ("result", "sent"));
        Assert.Equal(first.Body, second.Body);
        Assert.Equal(0, stage.Test.Metrics.Value("portico_alerts_total", ("kind", "dc_down"), ("result", "failed")));
    }

    [Fact]
    public async Task A_receiver_that_hangs_costs_its_patience_and_nobody_else_waits()
    {
        await using var stage = AlertStage.Start(
            behaviour: new DcBehaviour { Refuses = true }, patience: TimeSpan.FromMilliseconds(300));
        stage.Receiver.Answer = null;
        await MissAsync(stage);
        await stage.UntilAsync("dc_down", 4);
        await stage.Test.Metrics.UntilAsync("portico_alerts_total", 1, ("kind", "dc_down"), ("result", "failed"));
        Assert.Contains(
            "it did not answer within 0.3 s", stage.Test.Logs.Lines.First(it => it.EventName == "AlertNotSent").Text,
            StringComparison.Ordinal);
        stage.Test.Telegram.Behaviour = DcBehaviour.Good;
        stage.Test.Telegram.Listen();
        await using var client = await stage.Test.GreetAsync();
        await client.EchoAsync(1000);
    }

    [Fact]
    public async Task A_receiver_that_refuses_is_told_once_a_minute_without_its_address()
    {
        using var holder = new Socket(SocketType.Stream, ProtocolType.Tcp);
        holder.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)holder.LocalEndPoint!).Port;
        await using var stage = AlertStage.Start(
            behaviour: new DcBehaviour { Refuses = true }, webhook: $"http://127.0.0.1:{port}/{AlertReceiver.Token}");
        await MissAsync(stage);
        await stage.Test.AdvanceUntilAsync(
            TimeSpan.FromSeconds(1), () => stage.Test.Logs.Lines.Any(it => it.EventName == "AlertNotSent"));
        var line = stage.Test.Logs.Lines.Single(it => it.EventName == "AlertNotSent");
        Assert.Contains($"http://127.0.0.1:{port}/[secret]: it cannot be connected to", line.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(AlertReceiver.Token, line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_stop_waits_for_a_receiver_that_hangs_for_a_second_at_most()
    {
        await using var stage = AlertStage.Start(behaviour: new DcBehaviour { Refuses = true }, patience: TimeSpan.FromSeconds(60));
        stage.Receiver.Answer = null;
        await MissAsync(stage);
        await stage.UntilAsync("dc_down");
        var clock = Stopwatch.StartNew();
        await stage.Watch.StopAsync();
        Assert.InRange(clock.Elapsed, TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(3)); // on a busy machine
    }

    [Fact]
    public async Task A_reload_switches_alerts_on_and_off_and_a_new_receiver_hears_of_all_that_is_so()
    {
        await using var stage = AlertStage.Start(behaviour: new DcBehaviour { Refuses = true }, isOff: true);
        await MissAsync(stage);
        await stage.PassAsync(TimeSpan.FromSeconds(30));
        Assert.Empty(stage.Receiver.Posted);

        await ReloadAsync(stage.Receiver.Url);
        await stage.UntilAsync("dc_down");
        await ReloadAsync(null);
        stage.Test.Telegram.Behaviour = DcBehaviour.Good;
        stage.Test.Telegram.Listen();
        await using var client = await stage.Test.GreetAsync();
        await client.EchoAsync(100);
        await stage.PassAsync(TimeSpan.FromMinutes(2));
        Assert.DoesNotContain(stage.Receiver.Posted, it => it.IsResolved);

        Task ReloadAsync(string? webhook) => stage.Test.Proxy.ReloadAsync(stage.Test.Proxy.Settings with
        {
            Alerts = new AlertSettings { Webhook = webhook is null ? null : WebhookAddress.Of(webhook) },
        });
    }

    [Fact]
    public async Task A_proxy_that_stops_is_no_alert()
    {
        await using var stage = AlertStage.Start();
        await stage.PassAsync(TimeSpan.FromSeconds(10));
        await stage.Test.Proxy.StopAsync(TimeSpan.Zero);
        Assert.Equal("draining", Assert.Single(stage.Test.Proxy.Control.NotReady()));
        for (var i = 0; i < 30; i++)
        {
            stage.Time.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        await stage.Watch.StopAsync(); // its last look has been
        Assert.Empty(stage.Receiver.Posted);
    }

    [Fact]
    public void What_is_in_force_is_shown_with_the_receivers_host_alone()
    {
        var options = new ProxyOptions { Alerts = new AlertOptions { Webhook = "https://hooks.example.org:8443/path-7?key=word-8" } };
        var json = RedactedConfiguration.ToJson(options);
        Assert.Contains("\"webhook\": \"https://hooks.example.org:8443/[secret]\"", json, StringComparison.Ordinal);
        options.Alerts.Webhook = "path-7 word-8";
        json += RedactedConfiguration.ToJson(options);
        Assert.DoesNotContain("path-7", json, StringComparison.Ordinal);
        Assert.DoesNotContain("word-8", json, StringComparison.Ordinal);
    }

    private static async Task MissAsync(AlertStage stage)
    {
        await using var client = await stage.Test.GreetAsync();
        await client.SendHeaderAsync();
        await client.ReadToEndAsync();
    }
}
