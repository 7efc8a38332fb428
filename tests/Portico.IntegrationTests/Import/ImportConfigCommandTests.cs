using System.Text;
using System.Text.Json.Nodes;
using Portico.IntegrationTests.Commands;
using Xunit;

namespace Portico.IntegrationTests.Import;

/// <summary>
/// `portico import-config` on files as the other proxies' people have them. What links they give is written down here by hand, from what
/// those proxies make of such a file.
/// </summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public class ImportConfigCommandTests
{
    private const string Host = "proxy.example.org";

    public static TheoryData<ForeignFile> Files => [.. ForeignFile.All];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task The_links_of_the_other_proxy_are_those_of_the_configuration_that_is_written(ForeignFile one)
    {
        using var directory = new TemporaryDirectory();
        var (code, output, errors) = await ImportAsync(directory, one.From, one.Path, "--out", "portico.json");
        var check = await PorticoProcess.RunAsync(directory.Path, ["check"]);
        var link = await PorticoProcess.RunAsync(directory.Path, ["link", "--server", Host]);

        Assert.Equal((0, ""), (code, output));
        Assert.Equal((0, ""), (check.Code, string.Concat(check.Errors.Split('\n').Where(line => line.Contains("error:")))));
        Assert.Equal(
            one.Links.Select(LinkOf).Order(StringComparer.Ordinal),
            link.Output.Split('\n').Where(line => line.StartsWith("tg://", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory.File("portico.json")));
        Assert.All(one.Left, key => Assert.Contains($"{key}: ", errors, StringComparison.Ordinal));
        // No secret is told to those who look on.
        Assert.DoesNotContain(one.Links, written => errors.Contains(written.Split(' ', '@')[1][^32..], StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_key_of_the_file_is_named_or_taken(ForeignFile one)
    {
        var result = Portico.Import.ImportSource.Convert(one.From, File.ReadAllText(one.Path));

        Assert.Equal(one.Left.Order(StringComparer.Ordinal),
            one.Left.Intersect(result.Left.Select(note => note.Key)).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(result.Left, note => note.Text == Portico.Import.KeyRule.Likewise);
    }

    [Fact]
    public async Task What_has_a_counterpart_is_taken_over()
    {
        var erlang = await WrittenAsync("erlang", "everything.config");
        var telemt = await WrittenAsync("telemt", "everything.toml");
        var mtg = await WrittenAsync("mtg", "behind-haproxy.toml");
        var python = await WrittenAsync("mtprotoproxy", "advanced.py");
        var c = await WrittenAsync("mtproxy", "start.sh");

        Assert.Equal("shop.example.net:443", Text(erlang, "cover", "target"));
        Assert.Equal("client_ipv4_subnet/24", (string?)erlang["policy"]![2]!["keys"]![1]);
        Assert.Equal("[]", erlang["tables"]!["customers"]!.ToJsonString());
        Assert.Equal("00ffee11dd22cc33bb44aa5599668877", (string?)erlang["listeners"]![1]!["adTag"]);
        Assert.Equal("family_and_friends", (string?)erlang["listeners"]![1]!["name"]);
        Assert.Equal((2, 3), ((int?)erlang["replay"]!["maxAgeDays"],
            (int?)erlang["backend"]!["middle"]!["backpressure"]!["packetsPerClient"]));
        Assert.Equal((30, 900, 15), ((int?)erlang["timeouts"]!["handshakeSeconds"], (int?)erlang["timeouts"]!["idleSeconds"],
            (int?)erlang["timeouts"]!["clientWriteSeconds"]));

        Assert.Equal(["::", "192.0.2.10"], telemt["listeners"]!.AsArray().Select(listener => (string?)listener!["address"]));
        Assert.Equal("""["10.0.0.0/8"]""", telemt["listeners"]![0]!["proxyProtocol"]!["trusted"]!.ToJsonString());
        Assert.Equal("""["91.105.192.100:443"]""", telemt["backend"]!["direct"]!["endpoints"]!["203"]!.ToJsonString());
        Assert.Equal(
            ["alice", "bob_smith", "carol off", "dave off"],
            telemt["listeners"]![0]!["users"]!.AsArray().Select(user =>
                $"{user!["name"]}{((bool?)user["enabled"] == false ? " off" : "")}"));
        Assert.Equal("ffeeddccbbaa99887766554433221100", (string?)telemt["listeners"]![0]!["users"]![0]!["adTag"]);
        Assert.Equal(("10.1.2.3:4443", 2), (Text(telemt, "cover", "target"), (int?)telemt["cover"]!["proxyProtocol"]));

        Assert.Equal(("127.0.0.1:8444", 2), (Text(mtg, "cover", "target"), (int?)mtg["cover"]!["proxyProtocol"]));
        Assert.Equal("198.51.100.9", (string?)mtg["listeners"]![0]!["publicHost"]);
        Assert.Equal(3630, (int?)mtg["fakeTls"]!["timeWindow"]!["pastSeconds"]);

        Assert.Equal(("127.0.0.1:8081", "0.0.0.0"), (Text(python, "cover", "target"), (string?)python["listeners"]![0]!["address"]));
        Assert.False((bool?)python["fakeTls"]!["timeWindow"]!["enabled"]);

        Assert.Equal(("www.example.org:443", "198.51.100.7"), (Text(c, "cover", "target"), Text(c, "backend", "middle", "externalIp")));
        Assert.Equal(("::", 40000), ((string?)c["listeners"]![0]!["address"], (int?)c["listeners"]![0]!["maxConnections"]));
    }

    [Fact]
    public async Task A_file_that_exists_stays_and_without_out_the_configuration_goes_to_stdout()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("portico.json", "mine");
        var file = ForeignFile.PathOf("mtg", "config.toml");

        var (code, _, errors) = await ImportAsync(directory, "mtg", file, "--out", "portico.json");
        var (second, output, _) = await ImportAsync(directory, "mtg", file);

        Assert.Equal((2, 0), (code, second));
        Assert.Contains("portico.json exists", errors, StringComparison.Ordinal);
        Assert.Equal("mine", await File.ReadAllTextAsync(directory.File("portico.json")));
        Assert.Contains("\"listeners\"", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("erlang", "[{mtproto_proxy,\n [{ports, [#{port => 70000, secret => <<\"beef\">>}]}]}].", "line 2, ports.port: ",
        "line 2, ports.secret: ")]
    [InlineData("erlang", "[{mtproto_proxy,\n [{ports, [", "line 2 the file ends in the middle of a term")]
    [InlineData("mtproxy", "ExecStart=mtproto-proxy -S 00 -H x -D 1.2.3.4", "line 1, -S: ", "line 1, -H: ", "line 1, -D: ")]
    [InlineData("mtproxy", "mtproto-proxy -H 443 -S $(cat secret)", "line 1 uses a variable or a command")]
    [InlineData("mtproxy", "nothing of the kind", "no line starts mtproto-proxy")]
    [InlineData("mtprotoproxy", "PORT = 'x'\nUSERS = load()", "line 1, PORT: ")]
    [InlineData("mtprotoproxy", "USERS = {'a': 'b'", "line 1 opens a bracket that is never closed")]
    [InlineData("mtg", "secret = \"dd00112233445566778899aabbccddeeff\"\nbind-to = 5\n", "line 1, secret: ", "line 2, bind-to: ")]
    [InlineData("mtg", "secret = ", "is not valid TOML")]
    [InlineData("telemt", "include = \"users.toml\"\n[server]\nport = 0\n", "line 1, include: ", "line 3, server.port: ")]
    public async Task A_bad_file_ends_with_every_error_and_its_place(string from, string text, params string[] expected)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("theirs", text);
        var (code, output, errors) = await ImportAsync(directory, from, "theirs", "--out", "portico.json");

        Assert.Equal((2, ""), (code, output));
        Assert.All(expected, part => Assert.Contains(part, errors, StringComparison.Ordinal));
        Assert.False(File.Exists(directory.File("portico.json")));
    }

    private static Task<(int Code, string Output, string Errors)> ImportAsync(
        TemporaryDirectory directory, string from, string file, params string[] more) =>
        PorticoProcess.RunAsync(directory.Path, ["import-config", "--from", from, file, .. more]);

    private static async Task<JsonNode> WrittenAsync(string from, string file)
    {
        using var directory = new TemporaryDirectory();
        var (_, output, _) = await ImportAsync(directory, from, ForeignFile.PathOf(from, file));
        return JsonNode.Parse(output, documentOptions: new() { CommentHandling = System.Text.Json.JsonCommentHandling.Skip })!;
    }

    private static string? Text(JsonNode root, params string[] path) => (string?)path.Aggregate(root, (node, key) => node[key]!);

    private static string LinkOf(string written)
    {
        var (port, secret) = (written.Split(' ')[0], written.Split(' ')[1].Split('@'));
        var domain = secret.Length > 1 ? Convert.ToHexStringLower(Encoding.ASCII.GetBytes(secret[1])) : "";
        return $"tg://proxy?server={Host}&port={port}&secret={secret[0]}{domain}";
    }
}
