using System.Text.Json;
using System.Text.RegularExpressions;
using Portico.Configuration;
using Portico.IntegrationTests.Commands;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Docs;

/// <summary>What docs/operations.md gives other programs is understood by them. Its commands are run by deploy/test-operations.</summary>
public sealed partial class OperationsPageTests : IDisposable
{
    private const string Caddy = "caddy";

    private static readonly string Page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "operations.md"));

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [ToolFact(HaproxyCover.Program)]
    public async Task HAProxy_has_nothing_against_its_part()
    {
        var file = _directory.Write("haproxy.cfg", Block("haproxy"));

        var (code, output, errors) = await Programs.RunAsync(HaproxyCover.Program, ["-c", "-f", file]);

        Assert.True(code == 0, output + errors);
        Assert.DoesNotContain("WARNING", output + errors, StringComparison.Ordinal);
    }

    [ToolFact(Caddy)]
    public async Task Caddy_listens_for_this_machine_alone_and_names_no_other_port_in_its_answers()
    {
        var file = _directory.Write("Caddyfile", Block("caddy"));

        var (code, output, errors) = await Programs.RunAsync(Caddy, ["adapt", "--config", file]);

        Assert.True(code == 0, errors);
        using var adapted = JsonDocument.Parse(output);
        var server = adapted.RootElement.GetProperty("apps").GetProperty("http").GetProperty("servers").EnumerateObject().First().Value;
        Assert.Equal("127.0.0.1:9443", Assert.Single(server.GetProperty("listen").EnumerateArray()).GetString());
        Assert.Equal(["h1", "h2"], server.GetProperty("protocols").EnumerateArray().Select(protocol => protocol.GetString()));
    }

    [Fact]
    public void The_keys_for_HAProxy_are_a_configuration()
    {
        var keys = Keys().Match(Page).Groups["keys"].Value;
        Assert.NotEqual("", keys);
        var port = PublicPort().Match(Page).Groups["keys"].Value;
        Assert.NotEqual("", port);

        var loaded = LoadedConfiguration.Load(
            $$"""
            { "listeners": [{ {{keys}}, {{port}}, "secret": "0123456789abcdef0123456789abcd00", "domain": "www.example.com" }] }
            """,
            ".", []);

        Assert.Empty(loaded.Errors);
    }

    private static string Block(string language) =>
        Regex.Match(Page, $"^```{language}\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline).Groups["text"].Value;

    [GeneratedRegex("`(?<keys>\"proxyProtocol\": [^`]+)`")]
    private static partial Regex Keys();

    [GeneratedRegex("`(?<keys>\"publicPort\": [^`]+)`")]
    private static partial Regex PublicPort();
}
