using System.Diagnostics;
using System.Text.RegularExpressions;
using Portico.Core.Users;
using Portico.IntegrationTests;
using Portico.TestKit;
using Xunit;

namespace Portico.Admin.Tests.Metrics;

public sealed partial class ExpositionTests
{
    [Fact]
    public async Task Names_are_those_of_metrics_md_and_no_label_names_the_library()
    {
        await using var test = await AdminUnderTest.StartAsync();
        var text = await BusyTextAsync(test);
        var rows = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs/metrics.md"));
        var names = TypeLine().Matches(text).Select(match => match.Groups["name"].Value)
            .Where(name => name.StartsWith("portico_", StringComparison.Ordinal)).ToList();

        Assert.Contains("portico_connections_accepted_total", names);
        Assert.Contains("portico_session_duration_seconds", names);
        Assert.Contains("portico_client_received_bytes_total", names);
        Assert.Contains("portico_protocol_ok_total", names);
        Assert.Contains("portico_dc_connect_total", names);
        Assert.Equal([], names.Where(name => !rows.Contains($"| `{name}` |", StringComparison.Ordinal)));
        Assert.DoesNotContain("otel_", text, StringComparison.Ordinal);
        Assert.Contains("portico_connections_closed_total{listener=\"test\",reason=\"client_closed\",side=\"client\"} 1", text,
            StringComparison.Ordinal);
        Assert.Contains("dotnet_gc_collections_total", text, StringComparison.Ordinal);
        Assert.Contains("dotnet_process_cpu_time_seconds_total", text, StringComparison.Ordinal);
    }

    [ToolFact("promtool")]
    public async Task Promtool_has_nothing_to_say()
    {
        await using var test = await AdminUnderTest.StartAsync(admin: admin => admin with { UserMetrics = 5 });
        var text = await BusyTextAsync(test);
        using var promtool = Process.Start(new ProcessStartInfo("promtool", ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        await promtool.StandardInput.WriteAsync(text);
        promtool.StandardInput.Close();
        var said = await promtool.StandardError.ReadToEndAsync() + await promtool.StandardOutput.ReadToEndAsync();
        await promtool.WaitForExitAsync();

        Assert.Equal((0, ""), (promtool.ExitCode, said));
    }

    [Fact]
    public async Task Users_with_the_most_bytes_have_metrics_where_the_operator_wants_them()
    {
        await using var test = await AdminUnderTest.StartAsync(
            settings => settings with
            {
                Listeners =
                [
                    settings.Listeners[0] with
                    {
                        Credentials =
                        [
                            settings.Listeners[0].Credentials[0],
                            new Credential("idle", Portico.Protocol.Secrets.ProxySecret.Create(new byte[16])),
                        ],
                    },
                ],
            },
            admin => admin with { UserMetrics = 1 });
        var text = await BusyTextAsync(test);

        Assert.Matches("portico_user_received_bytes_total\\{listener=\"test\",user=\"default\"\\} [1-9]", text);
        Assert.DoesNotContain("idle", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_that_no_metric_names_a_user()
    {
        await using var test = await AdminUnderTest.StartAsync();

        Assert.DoesNotContain("default", await BusyTextAsync(test), StringComparison.Ordinal);
    }

    private static async Task<string> BusyTextAsync(AdminUnderTest test)
    {
        await using (var client = await test.Proxy.GreetAsync()) await client.EchoAsync(1000);
        await test.Proxy.UntilEmptyAsync();
        using var scraper = test.NewClient(null);
        return await scraper.GetStringAsync("/metrics");
    }

    [GeneratedRegex(@"^# TYPE (?<name>\w+) ", RegexOptions.Multiline)]
    private static partial Regex TypeLine();
}
