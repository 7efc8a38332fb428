using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.IntegrationTests.Commands;

[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public class LinkCommandTests
{
    private const string Alice = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
    private const string Bob = "b1b2c3d4e5f60718293a4b5c6d7e8f91";

    private const string Configuration = $$"""
        { "listeners": [
          { "name": "web", "port": 8443, "domain": "www.example.com", "publicHost": "proxy.example.org", "publicPort": 443,
            "users": [{ "name": "alice", "secret": "{{Alice}}" }, { "name": "bob", "secret": "{{Bob}}" },
              { "name": "gone", "secret": "c1b2c3d4e5f60718293a4b5c6d7e8f92", "enabled": false }] },
          { "name": "plain", "address": "127.0.0.1", "port": 9000, "protocols": ["classic"], "secret": "{{Alice}}" } ] }
        """;

    [Fact]
    public async Task Every_enabled_user_of_every_listener_gets_both_links()
    {
        var (code, output) = await LinkAsync();

        Assert.Equal(0, code);
        Assert.Equal(
            [
                "# web, user alice, fake-tls",
                $"tg://proxy?server=proxy.example.org&port=443&secret=ee{Alice}7777772e6578616d706c652e636f6d",
                $"https://t.me/proxy?server=proxy.example.org&port=443&secret=ee{Alice}7777772e6578616d706c652e636f6d",
                "# web, user bob, fake-tls",
                $"tg://proxy?server=proxy.example.org&port=443&secret=ee{Bob}7777772e6578616d706c652e636f6d",
                $"https://t.me/proxy?server=proxy.example.org&port=443&secret=ee{Bob}7777772e6578616d706c652e636f6d",
                "# plain, user default, classic",
                $"tg://proxy?server=127.0.0.1&port=9000&secret={Alice}",
                $"https://t.me/proxy?server=127.0.0.1&port=9000&secret={Alice}",
            ],
            output);
    }

    [Fact]
    public async Task A_user_with_a_domain_of_its_own_gets_it_whatever_the_listener_has()
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(
            directory.File("portico.json"),
            $$"""
            { "listeners": [{ "port": 443, "domain": "www.example.com", "publicHost": "proxy.example.org",
              "users": [{ "name": "alice", "secret": "{{Alice}}", "domain": "a.example.com" }] }] }
            """);
        var (code, output, _) = await PorticoProcess.RunAsync(directory.Path, ["link"]);

        Assert.Equal(0, code);
        Assert.Contains($"secret=ee{Alice}612e6578616d706c652e636f6d\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_a_domain_and_a_server_can_be_chosen_and_one_link_has_no_heading()
    {
        var (code, output) = await LinkAsync("--user", "bob", "--domain", "site.example.org", "--server", "2001:db8::1");

        Assert.Equal(0, code);
        Assert.Equal(2, output.Length);
        Assert.True(ProxyLink.TryParse(output[0], out var host, out var port, out var secret, out _));
        Assert.Equal(("2001:db8::1", 443, Bob, "site.example.org"), (host, port, SecretText.FormatSimple(secret.Secret), secret.Domain));
    }

    [Theory]
    [InlineData(new string[0], "ee6a7272957cebcd2e9ac114da84dcdef86578616d706c652e636f6d")] // of the recorded vectors
    [InlineData(new[] { "--domain", "other.example" }, null)]
    public async Task With_per_sni_secrets_a_link_holds_the_secret_of_its_domain(string[] arguments, string? expected)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("portico.json", """
            { "listeners": [{ "secret": "d0d6e111bada5511fcce9584deadbeef", "domain": "example.com",
                "publicHost": "proxy.example.org", "protocols": ["fake-tls", "classic"] }],
              "fakeTls": { "perSniSecrets": { "enabled": true } } }
            """);

        var (code, output, _) = await PorticoProcess.RunAsync(directory.Path, ["link", .. arguments]);

        Assert.Equal(0, code);
        var links = output.Split('\n').Where(line => line.StartsWith("tg://", StringComparison.Ordinal)).ToArray();
        expected ??= SecretText.FormatFakeTls(
            PerSniSecret.Derive(
                "mtproto-proxy-per-sni-v1"u8,
                ProxySecret.Create(Convert.FromHexString("d0d6e111bada5511fcce9584deadbeef")), "other.example"u8),
            "other.example");
        Assert.EndsWith($"secret={expected}", links[0], StringComparison.Ordinal);
        Assert.EndsWith("secret=d0d6e111bada5511fcce9584deadbeef", links[1], StringComparison.Ordinal); // without TLS nothing is derived
    }

    [Fact]
    public async Task A_qr_code_is_a_square_of_half_blocks()
    {
        var (_, output) = await LinkAsync("--user", "bob", "--qr");

        var code = output[2..];
        Assert.True(code.Length > 20);
        Assert.All(code, line => Assert.Equal(code[0].Length, line.Length));
        Assert.All(code, line => Assert.All(line, character => Assert.Contains(character, " █▀▄")));
        Assert.InRange(code[0].Length, (2 * code.Length) - 1, 2 * code.Length); // two rows of the code in one of text
    }

    [Theory]
    [InlineData("--user", "gone")]
    [InlineData("--domain", "192.0.2.1")]
    [InlineData("--server", "0.0.0.0")]
    public async Task What_cannot_stand_in_a_link_is_exit_code_2(string option, string value)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("portico.json", Configuration);

        var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, ["link", option, value]);

        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.StartsWith($"portico: {option}: ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_configuration_the_places_that_were_tried_are_named()
    {
        using var directory = new TemporaryDirectory();

        var (code, _, errors) = await PorticoProcess.RunAsync(directory.Path, ["link", "--config", "none.json"]);

        Assert.Equal(2, code);
        Assert.Contains(directory.File("none.json"), errors, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string[] Lines)> LinkAsync(params string[] arguments)
    {
        using var directory = new TemporaryDirectory();
        directory.Write("portico.json", Configuration);
        var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, ["link", .. arguments]);
        Assert.Empty(errors);
        return (code, output.TrimEnd('\n').Split('\n'));
    }
}
