using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text.Json;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.IntegrationTests.Commands;

[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
[UnsupportedOSPlatform("windows")] // signals and file modes
public class RunCommandTests
{
    private const string Secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
    private const UnixFileMode OwnerReadsAndWrites = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Fact]
    public async Task A_first_start_writes_a_configuration_and_prints_links_that_the_link_command_prints_again()
    {
        using var directory = new TemporaryDirectory();

        var first = await StartAndStopAsync(directory.Path);
        var written = File.ReadAllText(directory.File("portico.json"));
        var (code, again, _) = await PorticoProcess.RunAsync(directory.Path, ["link"]);

        Assert.Equal(0, code);
        Assert.Equal(SecretKind.FakeTls, first.Kind);
        Assert.Equal("www.example.com", first.Domain);
        Assert.Equal(first, SecretOf(again.Split('\n')[0]));
        Assert.Equal(written, File.ReadAllText(directory.File("portico.json")));
        Assert.Equal(OwnerReadsAndWrites, File.GetUnixFileMode(directory.File("portico.json")));
        Assert.Equal(
            [directory.File("data"), directory.File("portico.json")],
            Directory.GetFileSystemEntries(directory.Path).Order(StringComparer.Ordinal));

        static async Task<ParsedSecret> StartAndStopAsync(string path)
        {
            await using var portico = PorticoProcess.Start(path, ["--port", "0"]);
            var tg = await portico.LineAsync("tg://proxy?");
            var site = await portico.LineAsync("https://t.me/proxy?");
            Assert.True(ProxyLink.TryParse(tg, out var host, out var port, out var secret, out _));
            Assert.Equal(site, ProxyLink.TMe(host, port, SecretText.FormatFakeTls(secret.Secret, secret.Domain!)));
            Assert.NotEqual("0.0.0.0", host);
            await ConnectAsync(port);

            portico.Signal(Signals.Terminate);
            var (code, output, errors) = await portico.EndAsync();
            Assert.Equal(0, code);
            Assert.DoesNotContain('█', output); // a QR code is for terminals
            Assert.Contains("closed connection", errors, StringComparison.Ordinal);
            Assert.DoesNotContain(SecretText.FormatSimple(secret.Secret), errors, StringComparison.Ordinal);
            return secret;
        }
    }

    [Fact]
    public async Task Of_two_first_starts_at_once_one_is_refused_and_the_file_is_the_others()
    {
        using var directory = new TemporaryDirectory();
        await using var one = PorticoProcess.Start(directory.Path, ["--port", "0"]);
        await using var other = PorticoProcess.Start(directory.Path, ["--port", "0"]);
        var refused = await Task.WhenAny(one.EndAsync(), other.EndAsync());

        Assert.Equal(1, (await refused).Code);
        Assert.Empty((await refused).Output);
        Assert.Contains("belongs to another running Portico", (await refused).Errors, StringComparison.Ordinal);

        // The file is written when the ports are bound, which may be after the other has been refused.
        var patience = Stopwatch.StartNew();
        while (!File.Exists(directory.File("portico.json")) && patience.Elapsed < TimeSpan.FromSeconds(30)) await Task.Delay(10);
        Assert.Equal(0, (await PorticoProcess.RunAsync(directory.Path, ["link"])).Code);
    }

    [Fact]
    public async Task Flags_of_a_first_start_are_kept_in_the_file_that_it_writes()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.File("new/portico.json");
        await using (var portico = PorticoProcess.Start(directory.Path, [
            "run", "--init", "--config", path, "--port", "0",
            "--domain", "site.example.org", "--protocol", "secure", "--protocol", "fake-tls",
        ]))
            await portico.LineAsync("tg://");

        Assert.Equal(OwnerReadsAndWrites | UnixFileMode.UserExecute, File.GetUnixFileMode(directory.File("new")));
        var (code, output, _) = await PorticoProcess.RunAsync(directory.Path, ["link", "--config", path]);
        Assert.Equal(0, code);
        var links = output.Split('\n').Where(line => line.StartsWith("tg://", StringComparison.Ordinal)).Select(SecretOf).ToArray();
        Assert.Equal([SecretKind.FakeTls, SecretKind.Secure], links.Select(link => link.Kind));
        Assert.Equal("site.example.org", links[0].Domain);
        Assert.Contains("\"target\": \"site.example.org:443\"", await File.ReadAllTextAsync(path), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_flag_leaves_no_file_behind()
    {
        using var directory = new TemporaryDirectory();

        var (code, _, errors) = await PorticoProcess.RunAsync(
            directory.Path, ["--port", "70000", "--protocol", "tls", "--mode", "fast", "--ad-tag", "cafe"]);

        Assert.Equal(2, code);
        Assert.Contains("listeners[0].port: 70000 is outside 0..65535", errors, StringComparison.Ordinal);
        Assert.Contains("(set by --port)", errors, StringComparison.Ordinal);
        Assert.Contains("listeners[0].protocols[0]", errors, StringComparison.Ordinal);
        Assert.Contains("backend.mode: \"fast\" is not one of", errors, StringComparison.Ordinal);
        Assert.Contains("listeners[0].adTag: must be the 32 hexadecimal digits", errors, StringComparison.Ordinal);
        Assert.Contains("(set by --ad-tag)", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    [Theory]
    [InlineData("--secret")]
    [InlineData("--secret-file")]
    [InlineData("environment")]
    public async Task A_secret_that_is_given_is_used_and_not_written_down(string way)
    {
        using var directory = new TemporaryDirectory();
        using var elsewhere = new TemporaryDirectory();
        string[] flags = way switch
        {
            "--secret" => ["--secret", Secret],
            "--secret-file" => ["--secret-file", elsewhere.Write("secret", $"{Secret}\n")],
            _ => [],
        };
        var variables = way == "environment" ? new Dictionary<string, string> { ["PORTICO__Listeners__0__Secret"] = Secret } : null;
        await using var portico = PorticoProcess.Start(directory.Path, ["--port", "0", .. flags], variables);

        var link = SecretOf(await portico.LineAsync("tg://"));
        portico.Signal(Signals.Interrupt);
        var (code, _, errors) = await portico.EndAsync();

        Assert.Equal(0, code);
        Assert.Equal(Secret, SecretText.FormatSimple(link.Secret));
        // what was seen of clients, which is no secret
        Assert.Equal([directory.File("data")], Directory.GetFileSystemEntries(directory.Path));
        Assert.Equal(way == "--secret", errors.Contains("shows the secret to the other users", StringComparison.Ordinal));
        Assert.DoesNotContain(Secret, errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Every_error_of_a_configuration_is_listed_and_the_exit_code_is_2()
    {
        using var directory = new TemporaryDirectory();
        directory.Write(
            "portico.json",
            $$"""{ "listeners": [{ "secret": "{{Secret}}0", "protocol": [], "port": true }], "guests": {}, "loops": -1 }""");

        var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, []);

        Assert.Equal(2, code);
        Assert.Empty(output);
        var lines = errors.TrimEnd().Split('\n');
        Assert.Equal($"portico: {directory.File("portico.json")}: 6 errors", lines[0]);
        Assert.Equal(["guests", "listeners[0].domain", "listeners[0].port", "listeners[0].protocol", "listeners[0].secret", "loops"],
            lines[1..].Select(line => line.Trim().Split(": ")[0]).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(Secret, errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_directory_that_cannot_be_written_to_is_one_line_and_exit_code_1()
    {
        using var directory = new TemporaryDirectory();
        // A file in place of a directory stops root too, whom permissions would not.
        var path = Path.Combine(directory.Write("file", ""), "portico.json");

        var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, ["--init", "--port", "0", "--config", path]);

        Assert.Equal(1, code);
        Assert.Empty(output);
        var line = Assert.Single(errors.TrimEnd().Split('\n'), line => line.StartsWith("portico: ", StringComparison.Ordinal));
        Assert.StartsWith($"portico: cannot write {path}: ", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_cannot_be_read_is_one_line_and_exit_code_1()
    {
        using var directory = new TemporaryDirectory();

        var (code, _, errors) = await PorticoProcess.RunAsync(directory.Path, ["--config", directory.Path]);

        Assert.Equal(1, code);
        Assert.StartsWith(
            $"portico: {directory.Path} is a directory", Assert.Single(errors.TrimEnd().Split('\n')), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_another_portico_holds_is_named_and_the_other_keeps_its_clients()
    {
        using var directory = new TemporaryDirectory();
        await using var first = PorticoProcess.Start(directory.Path, ["--port", "0"]);
        var port = PortOf(await first.LineAsync("tg://"));

        using var elsewhere = new TemporaryDirectory();
        var (code, output, errors) = await PorticoProcess.RunAsync(elsewhere.Path, ["--port", $"{port}"]);

        Assert.Equal(1, code);
        Assert.Empty(output);
        var line = Assert.Single(errors.TrimEnd().Split('\n'), line => line.StartsWith("portico: ", StringComparison.Ordinal));
        Assert.Contains($"{port}", line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
        await ConnectAsync(port);
    }

    [Fact]
    public async Task A_second_signal_does_not_wait_for_the_sessions()
    {
        using var directory = new TemporaryDirectory();
        // Without the second signal the open connection would hold the process for five minutes, which is more than the test waits.
        await using var portico = PorticoProcess.Start(directory.Path, ["--port", "0"],
            new Dictionary<string, string>
            {
                ["PORTICO__timeouts__drainSeconds"] = "300",
                ["PORTICO__timeouts__handshakeSeconds"] = "300",
            });
        using var client = await ConnectAsync(PortOf(await portico.LineAsync("tg://")));

        portico.Signal(Signals.Terminate);
        portico.Signal(Signals.Interrupt);

        Assert.Equal(0, (await portico.EndAsync()).Code);
    }

    [Fact]
    public async Task Json_messages_are_one_object_a_line()
    {
        using var directory = new TemporaryDirectory();
        await using var portico = PorticoProcess.Start(directory.Path, ["--port", "0", "--log-format", "json", "--log-level", "debug"]);
        await portico.LineAsync("tg://");
        portico.Signal(Signals.Terminate);

        var (_, _, errors) = await portico.EndAsync();

        var names =
            errors.TrimEnd().Split('\n').Select(line => JsonDocument.Parse(line).RootElement.GetProperty("EventId").GetInt32()).ToArray();
        Assert.Contains(9001, names); // written
        Assert.Contains(9011, names); // stopped
    }

    [Fact]
    public async Task The_log_level_hides_what_is_less_important()
    {
        using var directory = new TemporaryDirectory();
        await using var portico = PorticoProcess.Start(directory.Path, ["--port", "0", "--log-level", "error"]);
        await portico.LineAsync("tg://");
        portico.Signal(Signals.Terminate);

        Assert.Empty((await portico.EndAsync()).Errors);
    }

    [Theory]
    [InlineData("--secert", Secret)]
    [InlineData("--port", "x")]
    [InlineData("--log-level", "loud")]
    public async Task A_mistyped_command_line_is_exit_code_2_and_repeats_no_secret(string option, string value)
    {
        using var directory = new TemporaryDirectory();

        var (code, _, errors) = await PorticoProcess.RunAsync(directory.Path, [option, value]);

        Assert.Equal(2, code);
        Assert.Contains(option, errors, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    private static ParsedSecret SecretOf(string link)
    {
        Assert.True(ProxyLink.TryParse(link, out _, out _, out var secret, out var error), error);
        return secret;
    }

    private static int PortOf(string link)
    {
        Assert.True(ProxyLink.TryParse(link, out _, out var port, out _, out var error), error);
        return port;
    }

    private static async Task<TcpClient> ConnectAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port);
        return client;
    }
}
