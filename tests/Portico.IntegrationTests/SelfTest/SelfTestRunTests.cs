using System.Text.Json;
using Portico.SelfTest;
using Xunit;

namespace Portico.IntegrationTests.SelfTest;

/// <summary>The self test against this very proxy, and against stand-ins that are broken on purpose.</summary>
public sealed class SelfTestRunTests
{
    private static readonly string[] Engines = OperatingSystem.IsLinux() ? ["epoll", "sockets"] : ["sockets"];
    private static readonly string[] Backends = ["direct-pass-through", "direct-recrypt", "middle"];
    private static readonly string[] Clients = ["abridged", "intermediate", "secure", "fake-tls"];
    private static readonly string[] OfEveryClient = ["res-pq", "echo", "in-pieces"];
    private static readonly string[] OfFakeTlsOnly = ["old-hello", "hello-in-records"];
    private static readonly string[] OfStrangers = ["malformed-hello", "wrong-secret-fake-tls", "wrong-secret-secure", "web-site"];
    private static readonly string[] Carriers = ["https", "https-lanes", "websocket", "websocket-lanes"];
    private static readonly string[] Secrets = ["dd", "plain"];
    private static readonly string[] OfEveryApp = ["res-pq", "echo"];

    // The promise of 5 seconds is for a machine that does nothing else; here other tests run at the same time.
    private static readonly SelfTestOptions Patient = new() { Deadline = TimeSpan.FromMinutes(1) };

    [Fact]
    public async Task A_sound_proxy_passes_every_check_and_each_is_named()
    {
        var (exit, report) = await RunAsync(Patient);

        Assert.Empty(report.Failures);
        Assert.Equal(0, exit);
        Assert.Equal(EveryName().Order(), report.Names.Order());
        Assert.Equal(report.Names.Count, report.Passed);
    }

    [Fact]
    public async Task A_nonce_that_is_not_ours_fails_the_checks_that_ask_for_it_and_no_other()
    {
        var (exit, report) = await RunAsync(Patient with { Fault = StandInFault.WrongNonce });

        Assert.Equal(1, exit);
        Assert.Equal(EveryName().Where(name => !IsEcho(name) && !IsStranger(name)).Order(), report.Failures.Keys.Order());
        Assert.All(report.Failures.Values, error => Assert.Equal("resPQ carries another nonce", error));
    }

    [Fact]
    public async Task An_echo_with_a_flipped_bit_fails_the_echo_checks_and_no_other()
    {
        var (exit, report) = await RunAsync(Patient with { Fault = StandInFault.CorruptEcho });

        Assert.Equal(1, exit);
        Assert.Equal(EveryName().Where(IsEcho).Order(), report.Failures.Keys.Order());
        Assert.All(report.Failures.Values, error => Assert.EndsWith("bytes came back changed", error, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wrong_checksum_on_links_fails_every_client_of_middle_mode_and_no_other()
    {
        var (exit, report) = await RunAsync(Patient with { Fault = StandInFault.WrongChecksum });

        Assert.Equal(1, exit);
        Assert.Equal(EveryName().Where(name => IsMiddle(name) && !IsStranger(name)).Order(), report.Failures.Keys.Order());
        Assert.All(report.Failures.Values, error => Assert.Equal("the proxy closed the connection", error));
    }

    [Fact]
    public async Task A_data_centre_that_never_answers_costs_one_deadline_and_fails_every_client()
    {
        var (exit, report) = await RunAsync(Patient with { Fault = StandInFault.Silent, Deadline = TimeSpan.FromSeconds(1) });

        Assert.Equal(1, exit);
        Assert.Superset(EveryName().Where(name => !IsStranger(name)).ToHashSet(), report.Failures.Keys.ToHashSet());
        Assert.All(
            report.Failures.Where(failure => !IsStranger(failure.Key)), failure => Assert.Equal("not done within 1 s", failure.Value));
    }

    [Fact]
    public async Task A_data_centre_that_hangs_up_fails_every_client_with_a_close()
    {
        var (exit, report) = await RunAsync(Patient with { Fault = StandInFault.HangUp });

        Assert.Equal(1, exit);
        Assert.Equal(EveryName().Where(name => !IsStranger(name)).Order(), report.Failures.Keys.Order());
    }

    [Fact]
    public async Task The_table_names_the_failed_check_with_its_error()
    {
        using var output = new StringWriter();

        var exit = await SelfTestRun.RunAsync(
            output, json: false, Patient with { Fault = StandInFault.CorruptEcho }, CancellationToken.None);

        Assert.Equal(1, exit);
        var lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Matches(@"^check +result +ms$", lines[0]);
        Assert.Contains(lines, line => line.StartsWith($"{Engines[0]}/direct-recrypt/fake-tls/echo ", StringComparison.Ordinal)
            && line.Contains("FAILED")
            && line.EndsWith("came back changed", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith($"{Engines[0]}/middle/fake-tls/echo ", StringComparison.Ordinal)
            && line.Contains("FAILED")
            && line.EndsWith("came back changed", StringComparison.Ordinal));
        Assert.Contains(lines, line =>
            line.StartsWith($"{Engines[0]}/direct-recrypt/fake-tls/res-pq ", StringComparison.Ordinal) && line.Contains("  ok  "));
        var echoes = EveryName().Count(IsEcho);
        Assert.Equal($"{EveryName().Count() - echoes} passed, {echoes} failed", lines[^1]);
    }

    [Fact]
    public async Task An_interrupted_run_fails()
    {
        using var interrupt = new CancellationTokenSource();
        await interrupt.CancelAsync();
        using var output = new StringWriter();

        Assert.Equal(1, await SelfTestRun.RunAsync(output, json: true, new SelfTestOptions(), interrupt.Token));
        Assert.Contains("interrupted", output.ToString(), StringComparison.Ordinal);
    }

    private static bool IsEcho(string name) => name.EndsWith("/echo", StringComparison.Ordinal);

    private static bool IsMiddle(string name) => name.Contains("/middle/", StringComparison.Ordinal);

    private static bool IsStranger(string name) => name.Contains("/stranger/", StringComparison.Ordinal);

    private static IEnumerable<string> EveryName() =>
        from engine in Engines
        from backend in Backends
        from name in Clients.SelectMany(client => OfEveryClient.Select(check => $"{client}/{check}"))
            .Concat(OfFakeTlsOnly.Select(check => $"fake-tls/{check}"))
            .Concat(OfStrangers.Select(check => $"stranger/{check}"))
            .Concat(from carrier in Carriers
                    from secret in Secrets
                    from check in OfEveryApp
                    select $"web-{carrier}-{secret}/{check}")
        select $"{engine}/{backend}/{name}";

    private static async Task<(int Exit, Report Report)> RunAsync(SelfTestOptions options)
    {
        using var output = new StringWriter();
        var exit = await SelfTestRun.RunAsync(output, json: true, options, CancellationToken.None);
        using var json = JsonDocument.Parse(output.ToString());
        var checks = json.RootElement.GetProperty("checks").EnumerateArray().ToArray();
        var failures = checks.Where(check => !check.GetProperty("ok").GetBoolean())
            .ToDictionary(NameOf, check => check.GetProperty("error").GetString()!);
        Assert.All(checks, check => Assert.InRange(check.GetProperty("ms").GetInt64(), 0, 60_000));
        Assert.Equal(failures.Count, json.RootElement.GetProperty("failed").GetInt32());
        return (exit, new Report([.. checks.Select(NameOf)], json.RootElement.GetProperty("passed").GetInt32(), failures));
    }

    private static string NameOf(JsonElement check) => check.GetProperty("name").GetString()!;

    private sealed record Report(IReadOnlyList<string> Names, int Passed, Dictionary<string, string> Failures);
}
