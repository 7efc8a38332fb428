using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using Portico.IntegrationTests.Commands;
using Portico.Moving;
using Portico.Protocol.Secrets;
using Portico.Storage;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Moving;

/// <summary><c>portico export</c> on one machine, <c>portico import</c> on another: two directories here.</summary>
[UnsupportedOSPlatform("windows")]
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class MovingCommandTests : IAsyncDisposable
{
    private const string Tables =
        """{ "tables": [ { "name": "banned", "key": "client_ipv4", "added": ["203.0.113.9"], "removed": [] } ] }""";

    private static readonly Received ClosedWithoutAByte = Received.Nothing(PeerEnd.Fin);

    private readonly ProxySecret _secret = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));
    private readonly TemporaryDirectory _old = new(), _new = new();
    private readonly FakeTelegram _telegram = FakeTelegram.Start();

    public async ValueTask DisposeAsync()
    {
        await _telegram.DisposeAsync();
        _old.Dispose();
        _new.Dispose();
    }

    [Fact]
    public async Task What_the_old_proxy_let_in_before_and_after_the_export_is_a_stranger_to_the_new_one()
    {
        Configure(_old);
        await using var old = Start(_old);
        var oldEndpoint = await EndpointAsync(old);
        var before = await ServeAsync(oldEndpoint);
        var fast = await SignAsync(oldEndpoint, Now + 100); // by its clock, later than the new one's start
        await UntilKeptAsync();

        var (code, output, errors) = await RunAsync(_old, "export", "--out", "moving");
        Assert.Equal(0, code);
        Assert.StartsWith($"moving: {_old.File("portico.json")} and 2 files of {_old.File("data")}, ", output, StringComparison.Ordinal);
        Assert.Matches($@"The proxy is running \(process {old.Id}\); what it saw of clients was last written \d+ s ago\. ", errors);
        var after = await ServeAsync(oldEndpoint); // in no memory that moves

        (code, output, errors) = await RunAsync(_new, "import", _old.File("moving"));
        Assert.Equal(0, code);
        Assert.Equal($"{_new.File("portico.json")} is written, and 2 files in {_new.File("data")}\n", output);
        Assert.Contains("Stop the old proxy before this one starts", errors, StringComparison.Ordinal);
        await using (var moved = Start(_new))
        {
            var endpoint = await EndpointAsync(moved);
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, before));
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, fast));
            Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(endpoint, after));
            moved.Signal(Signals.Terminate);
            var log = (await moved.EndAsync()).Errors;
            Assert.Contains("replay_session_detected", log, StringComparison.Ordinal);
            Assert.Contains("tls_before_start", log, StringComparison.Ordinal);
        }

        // Nor after an orderly restart; whoever signs now comes in.
        await using var again = Start(_new);
        var last = await EndpointAsync(again);
        Assert.Equal(ClosedWithoutAByte, await StrangerClient.CallAsync(last, after));
        await SignAsync(last, Now + 3);
    }

    [Fact]
    public async Task Links_tables_and_flights_are_the_same_on_the_new_machine()
    {
        Configure(_old, port: 8443);
        Directory.CreateDirectory(_old.File("data"));
        _old.Write("data/policy-tables.json", Tables);
        _old.Write("data/cover-flights.json", """{ "flights": [] }""");
        _old.Write("data/proxy-secret", "which Telegram gives to everybody");
        _old.Write("data/running", "");
        File.SetLastWriteTimeUtc(_old.File("data/cover-flights.json"), DateTime.UnixEpoch.AddDays(20_000));
        _old.Write("phrase", "correct horse battery staple\n");
        _new.Write("phrase", "correct horse battery staple");

        var (code, output, errors) = await RunAsync(_old, "export", "--out", "moving", "--passphrase-file", "phrase");
        Assert.Equal((0, ""), (code, errors));
        Assert.StartsWith($"moving: {_old.File("portico.json")} and 2 files of ", output, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_old.File("moving")));
        File.Copy(_old.File("moving"), _new.File("moving"));
        (code, _, _) = await RunAsync(_new, "import", "moving", "--passphrase-file", "phrase");
        Assert.Equal(0, code);

        Assert.Equal(await RunAsync(_old, "link"), await RunAsync(_new, "link"));
        Assert.Equal(File.ReadAllBytes(_old.File("portico.json")), File.ReadAllBytes(_new.File("portico.json")));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_new.File("portico.json")));
        Assert.Equal(Tables, File.ReadAllText(_new.File("data/policy-tables.json")));
        Assert.Equal(DateTime.UnixEpoch.AddDays(20_000), File.GetLastWriteTimeUtc(_new.File("data/cover-flights.json")));
        Assert.Equal(["copied", "cover-flights.json", "policy-tables.json"], Names("data", "lock"));
    }

    [Fact]
    public async Task A_wrong_passphrase_and_a_damaged_archive_leave_nothing_behind()
    {
        Configure(_old);
        await RunOnceAsync(_old);
        _old.Write("phrase", "right");
        _old.Write("wrong", "wrong");
        Assert.Equal(0, (await RunAsync(_old, "export", "--out", "closed", "--passphrase-file", "phrase")).Code);
        Assert.Equal(0, (await RunAsync(_old, "export", "--out", "open")).Code);
        var whole = File.ReadAllBytes(_old.File("open"));
        File.WriteAllBytes(_old.File("cut"), whole[..^20]);
        whole[^30] ^= 1;
        File.WriteAllBytes(_old.File("altered"), whole);

        foreach (var (file, more, expected) in ((string, string[], string)[])
        [
            ("closed", [], "is protected by a passphrase"),
            ("closed", ["--passphrase-file", _old.File("wrong")], "the passphrase is another one"),
            ("open", ["--passphrase-file", _old.File("phrase")], "is not protected by a passphrase"),
            ("cut", [], "ends too early"),
            ("altered", [], "was altered"),
            ("portico.json", [], "is not what `portico export` writes"),
        ])
        {
            var (code, output, errors) = await RunAsync(_new, ["import", _old.File(file), .. more]);
            Assert.Equal((1, ""), (code, output));
            Assert.StartsWith($"portico: {_old.File(file)} ", errors, StringComparison.Ordinal);
            Assert.Contains(expected, errors, StringComparison.Ordinal);
            Assert.EndsWith("Nothing was imported\n", errors, StringComparison.Ordinal);
            Assert.Empty(Directory.GetFileSystemEntries(_new.Path));
        }
    }

    [Theory]
    [InlineData("../stolen", "holds \"../stolen\", which this Portico does not know")]
    [InlineData("/tmp/stolen", "does not know")]
    [InlineData("clients-seen.1/../../stolen", "does not know")]
    [InlineData("clients-seen.01", "does not know")]
    [InlineData("lock", "does not know")]
    [InlineData("running", "does not know")]
    [InlineData("copied", "does not know")]
    [InlineData("portico.json", "does not know")]
    [InlineData("clients-seen.1", "holds clients-seen.1 twice")]
    public async Task A_name_that_is_none_of_a_data_directory_has_no_place(string name, string expected)
    {
        Configure(_old);
        WriteArchive(("portico.json", File.ReadAllText(_old.File("portico.json"))), ("clients-seen.1", "x"), (name, "x"));

        var (code, _, errors) = await RunAsync(_new, "import", _old.File("made"));

        Assert.Equal(1, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_new.Path));
        Assert.False(File.Exists(Path.Combine(Path.GetTempPath(), "stolen")));
    }

    [Fact]
    public async Task What_a_newer_proxy_wrote_is_refused_by_its_version_and_a_wrong_configuration_by_its_keys()
    {
        Configure(_old);
        WriteArchive(("portico.json", File.ReadAllText(_old.File("portico.json"))), ("version", "2\n"));
        var (code, _, errors) = await RunAsync(_new, "import", _old.File("made"));
        Assert.Equal(1, code);
        Assert.Contains("holds a data directory of version 2, written by a newer Portico", errors, StringComparison.Ordinal);

        WriteArchive(("portico.json", """{ "listeners": [], "dataDirectry": "x" }"""));
        (code, _, errors) = await RunAsync(_new, "import", _old.File("made"));
        Assert.Equal(2, code);
        Assert.Contains("dataDirectry", errors, StringComparison.Ordinal);

        WriteArchive(("clients-seen.1", "x"));
        (code, _, errors) = await RunAsync(_new, "import", _old.File("made"));
        Assert.Equal(1, code);
        Assert.Contains("does not begin with a configuration", errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_new.Path));
    }

    [Fact]
    public async Task Users_move_as_they_are_at_the_moment_of_the_export()
    {
        Configure(_old);
        using var store = new UserDatabase(_old.File("data"), TimeZoneInfo.Utc, TimeProvider.System);
        store.Load();
        store.SaveUsers(7, [new("alice", "{}")], []); // not yet in the file itself, and it is open

        var (code, output, errors) = await RunAsync(_old, "export", "--out", "moving");
        Assert.Equal((0, true), (code, output.Contains(" and 1 files of ", StringComparison.Ordinal)));
        Assert.DoesNotContain(Directory.GetFiles(_old.Path), file => file.Contains("moving.", StringComparison.Ordinal));
        (code, _, errors) = await RunAsync(_new, "import", _old.File("moving"));
        Assert.Equal(0, code);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_new.File("data/users.db")));
        using var moved = new UserDatabase(_new.File("data"), TimeZoneInfo.Utc, TimeProvider.System);
        var state = moved.Load();
        Assert.Equal((7, "alice"), (state.Revision, Assert.Single(state.Users).Name));
    }

    [Fact]
    public async Task Users_in_a_damaged_file_are_not_exported_and_no_half_of_an_archive_stays()
    {
        Configure(_old);
        Directory.CreateDirectory(_old.File("data"));
        _old.Write("data/users.db", new string('x', 5000));

        var (code, _, errors) = await RunAsync(_old, "export", "--out", "moving");

        Assert.Equal(1, code);
        Assert.Contains("users.db is damaged", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles(_old.Path), file => file.Contains("moving", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_configuration_and_a_state_that_are_there_stay()
    {
        Configure(_old);
        await RunOnceAsync(_old);
        await RunAsync(_old, "export", "--out", "moving");
        _new.Write("portico.json", "mine");
        var (code, _, errors) = await RunAsync(_new, "import", _old.File("moving"));
        Assert.Equal(2, code);
        Assert.Contains(
            $"there is a configuration already, {_new.File("portico.json")}, and it stays", errors, StringComparison.Ordinal);

        (code, _, _) = await RunAsync(_new, "import", _old.File("moving"), "--config", "other/portico.json");
        Assert.Equal(0, code);
        Assert.Equal("mine", File.ReadAllText(_new.File("portico.json")));
        Assert.True(File.Exists(_new.File("other/data/clients-seen.1")));

        File.Delete(_new.File("other/portico.json"));
        (code, _, errors) = await RunAsync(_new, "import", _old.File("moving"), "--config", "other/portico.json");
        Assert.Equal(1, code);
        Assert.Contains("holds what a proxy has kept (clients-seen.1), and that stays", errors, StringComparison.Ordinal);
        Assert.Equal(["clients-seen.1", "copied", "version"], Names("other/data", "lock"));
        Assert.False(File.Exists(_new.File("other/portico.json")));
    }

    [Fact]
    public async Task The_data_directory_of_a_running_proxy_stays_its_own()
    {
        Configure(_old);
        await RunAsync(_old, "export", "--out", "moving");
        await using var running = Start(_old);
        await EndpointAsync(running);

        var (code, _, errors) = await RunAsync(
            _new, new Dictionary<string, string> { ["PORTICO__dataDirectory"] = _old.File("data") }, "import", _old.File("moving"));

        Assert.Equal(1, code);
        Assert.Contains(
            $"the data directory {_old.File("data")} belongs to another running Portico (process {running.Id}",
            errors, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_new.Path));
    }

    [Fact]
    public async Task A_file_that_exists_is_not_overwritten_and_what_the_environment_says_is_named()
    {
        Configure(_old);
        _old.Write("moving", "mine");
        var (code, _, errors) = await RunAsync(_old, "export", "--out", "moving");
        Assert.Equal(2, code);
        Assert.Contains("moving exists, and stays as it is", errors, StringComparison.Ordinal);
        Assert.Equal("mine", File.ReadAllText(_old.File("moving")));
        Assert.Equal(["moving", "portico.json"], Directory.GetFiles(_old.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        (code, _, errors) = await RunAsync(_old, "export", "--out", "nowhere/moving");
        Assert.Equal(2, code);
        Assert.Contains($"--out: there is no directory {_old.File("nowhere")}", errors, StringComparison.Ordinal);

        _old.Write("phrase", "\n");
        (code, _, errors) = await RunAsync(_old, "export", "--out", "other", "--passphrase-file", "phrase");
        Assert.Equal(2, code);
        Assert.Contains("phrase must hold a passphrase", errors, StringComparison.Ordinal);

        (code, _, errors) = await RunAsync(
            _old, new Dictionary<string, string> { ["PORTICO__timeouts__drainSeconds"] = "3" }, "export", "--out", "other");
        Assert.Equal(0, code);
        Assert.Contains("in the environment: PORTICO__", errors, StringComparison.Ordinal);
        Assert.Contains("PORTICO__timeouts__drainSeconds", errors, StringComparison.Ordinal);
        Assert.Contains("the file holds the configuration alone", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(SecretText.FormatSimple(_secret), errors, StringComparison.Ordinal);
    }

    private static uint Now => (uint)TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private static PorticoProcess Start(TemporaryDirectory directory) =>
        PorticoProcess.Start(directory.Path, ["--log-level", "debug", "--log-format", "json"]);

    private static async Task<IPEndPoint> EndpointAsync(PorticoProcess process) => new(IPAddress.Loopback, await process.PortAsync());

    private static Task<(int Code, string Output, string Errors)> RunAsync(TemporaryDirectory directory, params string[] arguments) =>
        RunAsync(directory, new Dictionary<string, string>(), arguments);

    // Nothing of what a test says to its proxies otherwise: export would name it.
    private static Task<(int Code, string Output, string Errors)> RunAsync(
        TemporaryDirectory directory, Dictionary<string, string> variables, params string[] arguments)
    {
        variables[PorticoProcess.AddressServices] = "";
        variables[PorticoProcess.AdminAddress] = "";
        return PorticoProcess.RunAsync(directory.Path, arguments, variables);
    }

    private static async Task RunOnceAsync(TemporaryDirectory directory)
    {
        await using var process = Start(directory);
        await process.PortAsync();
        process.Signal(Signals.Terminate);
        await process.EndAsync();
    }

    private void Configure(TemporaryDirectory directory, int port = 0) => directory.Write("portico.json", $$"""
        { "listeners": [{ "address": "127.0.0.1", "port": {{port}}, "secret": "{{SecretText.FormatSimple(_secret)}}",
            "publicHost": "proxy.example.org", "domain": "www.example.com" }], // a comment stays
          "backend": { "mode": "direct", "direct": { "endpoints": { "2": ["{{_telegram.Endpoint}}"] } } },
          "timeouts": { "drainSeconds": 0 } }
        """);

    private void WriteArchive(params (string Name, string Text)[] files)
    {
        using var to = File.Create(_old.File("made"));
        using var writer = new ArchiveWriter(to, null);
        foreach (var (name, text) in files)
            writer.Add(name, TimeProvider.System.GetUtcNow(), new MemoryStream(Encoding.UTF8.GetBytes(text)), long.MaxValue);
        writer.Finish();
    }

    private Task<byte[]> ServeAsync(IPEndPoint endpoint) => SignAsync(endpoint, Now);

    /// <summary>A client comes, is served and leaves; returns what it began with.</summary>
    private async Task<byte[]> SignAsync(IPEndPoint endpoint, uint time)
    {
        await using var client = await FakeClient.ConnectAsync(endpoint, new ClientProfile { Secret = _secret, Timestamp = time });
        await client.GreetAsync();
        await client.EchoAsync(100);
        return client.Hello;
    }

    // The file tells by its size: two clients in one frame, or more in two.
    private async Task UntilKeptAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (new FileInfo(_old.File("data/clients-seen.1")).Length < 32 + 16 + (2 * 8)) await Task.Delay(20, patience.Token);
    }

    private string[] Names(string folder, string except) =>
        [.. Directory.GetFileSystemEntries(_new.File(folder)).Select(path => Path.GetFileName(path))
            .Where(name => name != except).Order(StringComparer.Ordinal)];
}
