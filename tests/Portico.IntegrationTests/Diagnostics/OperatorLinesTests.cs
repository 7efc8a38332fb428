using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Portico.Core.Net;
using Portico.IntegrationTests.MiddleProxy;
using Portico.TestKit.Clients;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Diagnostics;

/// <summary>Nobody gets in: what the operator reads without having changed anything.</summary>
public sealed class OperatorLinesTests
{
    private const int Clients = 20;

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task With_the_clock_of_the_machine_an_hour_off_every_client_is_refused_and_one_warning_tells_why(EngineKind engine)
    {
        var time = new ManualTime(TimeProvider.System.GetUtcNow() + TimeSpan.FromHours(1));
        await using var test = ProxyUnderTest.Start(engine, time: time);
        for (var i = 0; i < Clients; i++)
        {
            await using var client = await test.ConnectAsync();
            await client.Wire.SendAsync(client.Hello);
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.Wire.ReadToEndAsync());
        }
        await test.UntilClosedAsync("tls_time", "client", Clients);
        var warning = Assert.Single(Operator(test));
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Matches("right secret were refused in the last minute: their time is about 3[56][0-9][0-9] s behind ours", warning.Text);

        test.Advance(TimeSpan.FromMinutes(1));
        await test.SettleAsync();
        Assert.Contains($"{Clients - 1} clients", Assert.Single(Operator(test).Skip(1)).Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_data_centre_that_cannot_be_reached_is_one_warning_no_line_per_session_and_a_line_when_it_is_back(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine, behaviour: new DcBehaviour { Refuses = true }, time: MiddleStage.Clock());
        for (var i = 0; i < Clients; i++)
        {
            await using var client = await test.GreetAsync(new ClientProfile { Dc = 4 });
            await client.SendHeaderAsync();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        }
        await test.UntilClosedAsync("dc_connect_failed", "telegram", Clients);
        var warning = Assert.Single(Operator(test));
        Assert.Equal((LogLevel.Warning, "DcUnreachable"), (warning.Level, warning.EventName));
        var told = $"DC 4 of Telegram cannot be reached ({test.Telegram.Endpoint} connection refused)";
        Assert.Contains(told, warning.Text, StringComparison.Ordinal);

        // The address is tried again at once, though last of all: it is the only one.
        test.Telegram.Behaviour = DcBehaviour.Good;
        test.Telegram.Listen();
        await using var back = await test.GreetAsync(new ClientProfile { Dc = 4 });
        await back.EchoAsync(100);
        Assert.Equal(["DcReachable", "FirstClient"], Operator(test).Skip(1).Select(line => line.EventName).Order());
        Assert.Contains($"meanwhile: {Clients}", Operator(test)[1].Text, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public Task While_a_data_centre_refuses_clients_that_try_again_and_again_are_a_line_a_second_at_most(EngineKind engine) =>
        RetryAsync(engine, seconds: 2);

    [Fact]
    [Trait(Suite.Trait, Suite.Long)]
    public Task While_a_data_centre_refuses_for_a_minute_clients_that_try_again_and_again_are_61_lines_at_most() =>
        RetryAsync(EngineKind.Auto, seconds: 60);

    private static async Task RetryAsync(EngineKind engine, int seconds)
    {
        const int Retrying = 32;
        var patience = TimeSpan.FromMilliseconds(500);
        await using var test = ProxyUnderTest.Start(engine, behaviour: new DcBehaviour { Refuses = true });
        var began = Stopwatch.StartNew();
        var attempts = 0;
        await Task.WhenAll(Enumerable.Range(0, Retrying).Select(async _ =>
        {
            do
            {
                await using var client = await test.GreetAsync();
                await client.SendHeaderAsync();
                await client.ReadToEndAsync();
                Interlocked.Increment(ref attempts);
                await Task.Delay(patience); // an app does not try again at once
            }
            while (began.Elapsed < TimeSpan.FromSeconds(seconds));
        }));
        await test.UntilClosedAsync("dc_connect_failed", "telegram", attempts);
        var most = (int)began.Elapsed.TotalSeconds + 1;
        Assert.InRange(Operator(test).Length, 1, Math.Min(most, seconds + 1));
        Assert.True(attempts >= Retrying * seconds / 2, $"{attempts} attempts");
    }

    private static LogLine[] Operator(ProxyUnderTest test) => [.. test.Logs.Lines.Where(line => line.Level > LogLevel.Debug)];
}
