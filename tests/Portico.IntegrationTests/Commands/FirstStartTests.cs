using System.Net;
using System.Net.Sockets;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.IntegrationTests.Commands;

/// <summary>What a start without a configuration writes, and when it writes nothing.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class FirstStartTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_port_that_cannot_be_had_leaves_nothing_behind()
    {
        using var taken = new TcpListener(IPAddress.IPv6Any, 0) { ExclusiveAddressUse = true };
        taken.Start();

        var (code, _, _) = await PorticoProcess.RunAsync(_directory.Path, ["--port", $"{((IPEndPoint)taken.LocalEndpoint).Port}"]);

        Assert.Equal(1, code);
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_configuration_that_was_named_and_is_not_there_is_exit_code_2_and_no_new_proxy(bool byVariable)
    {
        var path = _directory.File("mistyped.json");
        var (code, output, errors) = byVariable
            ? await PorticoProcess.RunAsync(_directory.Path, ["--port", "0"], new Dictionary<string, string> { ["PORTICO_CONFIG"] = path })
            : await PorticoProcess.RunAsync(_directory.Path, ["--port", "0", "--config", path]);

        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith($"portico: there is no {path}; ", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
        Assert.Contains("--init", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_directory.Path));
    }

    [Fact]
    public async Task A_service_of_systemd_writes_into_the_first_of_its_state_directories()
    {
        var state = Directory.CreateDirectory(_directory.File("state")).FullName;
        var elsewhere = Directory.CreateDirectory(_directory.File("elsewhere")).FullName;
        await using var portico = PorticoProcess.Start(
            elsewhere, ["--port", "0"], new Dictionary<string, string> { ["STATE_DIRECTORY"] = $"{state}:/nobody/is/here" });
        await portico.LineAsync("tg://");

        Assert.True(File.Exists(Path.Combine(state, "portico.json")));
        Assert.True(Directory.Exists(Path.Combine(state, "data")));
        Assert.Empty(Directory.GetFileSystemEntries(elsewhere));
    }

    [Fact]
    public async Task A_public_host_is_written_down_and_shown_by_later_links()
    {
        await using (var portico = PorticoProcess.Start(_directory.Path, ["--port", "0", "--public-host", "proxy.example.org"]))
            Assert.StartsWith("tg://proxy?server=proxy.example.org&", await portico.LineAsync("tg://"), StringComparison.Ordinal);

        var (_, output, _) = await PorticoProcess.RunAsync(_directory.Path, ["link"]);

        Assert.StartsWith("tg://proxy?server=proxy.example.org&", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_public_host_the_file_shows_where_to_put_one()
    {
        await using var portico = PorticoProcess.Start(_directory.Path, ["--port", "0"]);
        await portico.LineAsync("tg://");

        Assert.Contains("\"publicHost\": null, //", await File.ReadAllTextAsync(_directory.File("portico.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Flags_of_a_later_start_say_that_they_do_not_last_and_that_a_domain_is_no_cover()
    {
        await using (var first = PorticoProcess.Start(_directory.Path, ["--port", "0"])) await first.LineAsync("tg://");
        var written = await File.ReadAllTextAsync(_directory.File("portico.json"));

        await using var later = PorticoProcess.Start(_directory.Path, ["--port", "0", "--domain", "site.example.org"]);
        await later.PortAsync();
        later.Signal(Signals.Terminate);
        var (_, _, errors) = await later.EndAsync();

        Assert.Contains("For this run only: --port, --domain;", errors, StringComparison.Ordinal);
        Assert.Contains("--domain changes the links of this run and sets no cover", errors, StringComparison.Ordinal);
        Assert.Equal(written, await File.ReadAllTextAsync(_directory.File("portico.json")));
    }

    [Fact]
    public async Task Later_starts_count_the_links_and_show_no_secret_where_no_terminal_is()
    {
        string secret;
        await using (var first = PorticoProcess.Start(_directory.Path, ["--port", "0"]))
        {
            Assert.True(ProxyLink.TryParse(await first.LineAsync("tg://"), out _, out _, out var parsed, out var error), error);
            secret = SecretText.FormatSimple(parsed.Secret);
        }

        await using var later = PorticoProcess.Start(_directory.Path, ["--port", "0"]);
        var port = await later.PortAsync();
        later.Signal(Signals.Terminate);
        var (_, output, errors) = await later.EndAsync();

        Assert.Equal($"# main: 1 link to port {port}; `portico link` prints them\n", output);
        Assert.DoesNotContain(secret, output + errors, StringComparison.OrdinalIgnoreCase);
    }
}
