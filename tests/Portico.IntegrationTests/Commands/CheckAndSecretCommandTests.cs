using System.Runtime.Versioning;
using System.Text.Json;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.IntegrationTests.Commands;

[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public class CheckAndSecretCommandTests
{
    private const string Secret = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
    private const string UserSecret = "b1b2c3d4e5f60718293a4b5c6d7e8f91";

    [Fact]
    public async Task Check_prints_what_is_in_force_and_no_secret()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("other.json", $$"""
            // A comment, and trailing commas.
            { "listeners": [{ "secret": "{{Secret}}",
              "users": [{ "name": "alice", "secret": "{{UserSecret}}" }], "domain": "www.example.com", },], }
            """);

        var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, ["check"],
            new Dictionary<string, string>
            {
                ["PORTICO_CONFIG"] = path,
                ["PORTICO__Timeouts__IdleSeconds"] = "77",
                ["PORTICO__listeners__0__users__0__enabled"] = "false",
            });

        Assert.Equal(0, code);
        var listener = JsonDocument.Parse(output).RootElement.GetProperty("listeners")[0];
        Assert.Equal("[secret]", listener.GetProperty("secret").GetString());
        Assert.Equal("[secret]", listener.GetProperty("users")[0].GetProperty("secret").GetString());
        Assert.False(listener.GetProperty("users")[0].GetProperty("enabled").GetBoolean());
        Assert.Equal(8443, listener.GetProperty("port").GetInt32());
        Assert.Equal(77, JsonDocument.Parse(output).RootElement.GetProperty("timeouts").GetProperty("idleSeconds").GetInt32());
        Assert.All([Secret, UserSecret], secret => Assert.DoesNotContain(secret, output + errors, StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_data_directory_of_a_newer_version_ends_check_and_start_with_what_to_do()
    {
        using var directory = new TemporaryDirectory();
        directory.Write("portico.json", $$"""
            { "listeners": [{ "secret": "{{Secret}}", "address": "127.0.0.1", "port": 0, "domain": "www.example.com" }] }
            """);
        var data = Directory.CreateDirectory(directory.File("data")).FullName;
        directory.Write("data/version", "2\n");
        directory.Write("data/policy-tables.json", "of a shape that is not known yet");

        foreach (var command in (string[])["check", "run"])
        {
            var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, [command]);
            Assert.Equal((2, ""), (code, output));
            Assert.Contains(
                $"the data directory {data} is of version 2, written by a newer Portico, and this one understands versions up to 1; "
                    + "start the newer one, or give this one another dataDirectory",
                errors, StringComparison.Ordinal);
        }

        Assert.Equal("of a shape that is not known yet", File.ReadAllText(directory.File("data/policy-tables.json")));
    }

    [Fact]
    public async Task Check_warns_of_what_works_but_is_unwise()
    {
        using var directory = new TemporaryDirectory();
        directory.Write(
            "portico.json", """{ "listeners": [{ "secret": "0123456789abcdef0123456789abcdef", "domain": "www.example.com" }] }""");

        var (code, _, errors) = await PorticoProcess.RunAsync(directory.Path, ["check"]);

        Assert.Equal(0, code);
        Assert.Contains("warning: listeners[0].secret: ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("0123456789abcdef", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_warns_while_the_salt_is_the_one_that_everybody_knows()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("portico.json", $$"""{ "listeners": [{ "secret": "{{Secret}}", "domain": "www.example.com" """
            + $$"""}], "fakeTls": { "perSniSecrets": { "enabled": true } } }""");

        var (code, _, errors) = await PorticoProcess.RunAsync(directory.Path, ["check"]);
        var own = await PorticoProcess.RunAsync(
            directory.Path, ["check", "--config", path],
            new Dictionary<string, string> { ["PORTICO__FakeTls__PerSniSecrets__Salt"] = "a text of our own" });

        Assert.Equal((0, 0), (code, own.Code));
        Assert.Contains("warning: fakeTls.perSniSecrets.salt: ", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", own.Errors, StringComparison.Ordinal);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Check_warns_of_a_file_that_everybody_can_read_and_of_a_cover_that_has_no_address()
    {
        using var directory = new TemporaryDirectory();
        var path = directory.Write("portico.json", $$"""
            { "listeners": [{ "secret": "{{Secret}}", "domain": "www.example.com" }],
              "cover": { "mode": "fixed", "target": "no-such-site.invalid:443" } }
            """);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        var (code, _, errors) = await PorticoProcess.RunAsync(directory.Path, ["check"]);

        Assert.Equal(0, code);
        Assert.Contains($"every user of this machine can read the secrets in {path}", errors, StringComparison.Ordinal);
        Assert.Contains("warning: cover.target: \"no-such-site.invalid\" has no address", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_without_a_configuration_writes_none()
    {
        using var directory = new TemporaryDirectory();

        // The system's own file would be found where one is installed, so a place of our own is named.
        var (code, _, errors) = await PorticoProcess.RunAsync(
            directory.Path, ["check"], new Dictionary<string, string> { ["PORTICO_CONFIG"] = "mine.json" });

        Assert.Equal(2, code);
        Assert.Single(errors.TrimEnd().Split('\n'));
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public async Task Secret_prints_one_fresh_key_in_every_form()
    {
        using var directory = new TemporaryDirectory();

        var one = await SecretsAsync();
        var other = await SecretsAsync();

        Assert.Equal([SecretKind.Simple, SecretKind.Secure, SecretKind.FakeTls, SecretKind.FakeTls], one.Select(secret => secret.Kind));
        Assert.Single(one.Select(secret => secret.Secret).Distinct());
        Assert.Equal(["site.example.org"], one.Where(secret => secret.Domain is not null).Select(secret => secret.Domain).Distinct());
        Assert.NotEqual(one[0].Secret, other[0].Secret);

        async Task<ParsedSecret[]> SecretsAsync()
        {
            var (code, output, _) = await PorticoProcess.RunAsync(directory.Path, ["secret", "--domain", "site.example.org"]);
            Assert.Equal(0, code);
            return [.. output.TrimEnd().Split('\n').Select(line => SecretText.TryParse(line.Split(' ')[^1], out var parsed, out var error)
                ? parsed
                : throw new InvalidOperationException(error))];
        }
    }
}
