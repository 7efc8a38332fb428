using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portico.Core.Net;
using Portico.IntegrationTests.Commands;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using Portico.TestKit.Clients;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>
/// No secret, in no form, in anything that the executable prints,
/// except the links and secrets that it was asked for, on stdout.
/// </summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class SecretsInOutputTests
{
    private static readonly byte[] Key = Convert.FromHexString("a1b2c3d4e5f60718293a4b5c6d7e8f90");
    private static readonly byte[] Other = Convert.FromHexString("fedcba98765432100f1e2d3c4b5a6978");

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task A_proxy_that_logs_everything_logs_no_secret_whoever_comes(string format)
    {
        await using var proxy = await ProxyProcess.StartAsync(EngineKind.Auto, ["--log-level", "trace", "--log-format", format]);
        var wrong = ProxySecret.Create(Other);
        foreach (var profile in new ClientProfile[]
        {
            new(),
            new() { Mode = ClientMode.Secure },
            new() { Mode = ClientMode.Plain, Transport = Transport.Abridged },
        })
        {
            await proxy.ServeAsync(profile);
            await using var stranger = await FakeClient.ConnectAsync(proxy.Endpoint, profile with { Secret = wrong });
            await stranger.Wire.SendAsync(profile.Mode == ClientMode.FakeTls ? stranger.Hello : stranger.Encipher([]));
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await stranger.Wire.ReadToEndAsync());
        }
        var hostile = new List<byte[]>
        {
            RandomNumberGenerator.GetBytes(2000),
            HelloBytes.Malformed(),
            proxy.Secret.Key.ToArray(),  // a secret as bytes and as text where no secret belongs
            Encoding.ASCII.GetBytes($"GET /{SecretText.FormatSimple(proxy.Secret)} HTTP/1.1\r\n\r\n"),
            HelloBytes.Create(wrong, SecretText.FormatSimple(proxy.Secret) + ".example.org", 4711),
            HelloBytes.Create(proxy.Secret, SecretText.FormatSimple(proxy.Secret) + ".example.org", 4711),
        };
        foreach (var bytes in hostile)
            await StrangerClient.CallAsync(proxy.Endpoint, bytes, finish: true);
        await using (var quiet = await proxy.GreetAsync())
            await quiet.Wire.SendAsync(proxy.Secret.Key.ToArray());

        var (_, output, errors) = await proxy.StopAsync();
        Assert.Contains("tls_invalid_digest", errors, StringComparison.Ordinal);  // it did log what came
        AssertOnlyLinks(output, proxy.Secret.Key);
        Assert.Empty(SecretSearch.Find(Encoding.UTF8.GetBytes(errors), proxy.Secret.Key));
        Assert.Empty(SecretSearch.Find(Encoding.UTF8.GetBytes(output + errors), Other));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    [InlineData("link")]
    public async Task Errors_in_a_configuration_repeat_no_secret_wherever_it_was_put(string command)
    {
        using var directory = new TemporaryDirectory();
        var hex = Convert.ToHexString(Key);
        var listeners = new object[]
        {
            new { name = "odd", port = 1, secret = hex + "0" },
            new { name = "short", port = 2, secret = hex[..^1] },
            new { name = "no-hex", port = 3, secret = hex[..^1] + "x" },
            new { name = "link", port = 4, secret = "ee" + hex + "7777772e6578616d706c652e636f6d" },
            new { name = "base64", port = 5, secret = Convert.ToBase64String(Key) },
            new { name = "whole", port = 6, secret = $"tg://proxy?server=a&port=1&secret=dd{hex}" },
            new
            {
                name = "twice",
                port = 7,
                users = new[] { new { name = "a", secret = hex }, new { name = "b", secret = hex.ToLowerInvariant() } },
            },
            new { name = hex, port = 8, secret = hex, domain = hex, publicHost = hex + "!", protocols = new[] { hex }, address = hex },
            new Dictionary<string, object> { ["name"] = "key", ["port"] = hex, ["secret"] = 5, [hex] = hex },
            new { name = "user", port = 10, users = new[] { new { name = hex + hex + hex, secret = "" } } },
        };
        directory.Write("portico.json", JsonSerializer.Serialize(new
        {
            listeners,
            backend = new { mode = hex, direct = new { endpoints = new Dictionary<string, string[]> { [hex] = [hex] } } },
            engine = hex,
        }));
        await AssertRefusedAsync(directory, [command], atLeast: 15);

        // no JSON, and the place of the error is the secret
        directory.Write("portico.json", $$"""{ "listeners": [{ "secret": "{{hex}}" "{{hex}}", }] }""");
        await AssertRefusedAsync(directory, [command], atLeast: 1);
    }

    [Fact]
    public async Task Errors_in_environment_flags_and_secret_file_repeat_no_secret()
    {
        using var directory = new TemporaryDirectory();
        using var elsewhere = new TemporaryDirectory();
        var hex = Convert.ToHexString(Key);
        var link = $"tg://proxy?server=a&port=1&secret=dd{hex}";
        await AssertRefusedAsync(directory, [], atLeast: 2, new()
        {
            ["PORTICO__Listeners__0__Secret"] = hex + "00",
            ["PORTICO__Listeners__0__Port"] = hex,
            ["PORTICO__Listeners__0__" + hex] = hex,
            ["PORTICO__Engine"] = Convert.ToBase64String(Key),
        });
        await AssertRefusedAsync(directory, ["--secret", hex[..^2] + "zz"], atLeast: 1);
        await AssertRefusedAsync(directory, ["--secret", link, "--mode", hex], atLeast: 2);
        await AssertRefusedAsync(directory, ["--secret-file", elsewhere.Write("link", link)], atLeast: 1);
        await AssertRefusedAsync(directory, ["--secret-file", hex], atLeast: 1, expected: 1);  // there is no such file
        await AssertRefusedAsync(directory, ["--secret", hex, "--secret-file", elsewhere.File("link")], atLeast: 1);
        await AssertRefusedAsync(directory, ["--port", hex, "--log-format", hex, hex], atLeast: 2);
        await AssertRefusedAsync(directory, ["link", "--domain", hex + hex], atLeast: 1);
    }

    [LinuxFact]
    public async Task The_command_line_that_everybody_can_read_shows_only_a_secret_that_was_put_there_and_that_one_is_warned_of()
    {
        using var directory = new TemporaryDirectory();
        using var elsewhere = new TemporaryDirectory();
        var hex = Convert.ToHexStringLower(Key);
        Assert.Equal((false, false), await StartAsync(["--secret-file", elsewhere.Write("secret", hex)], []));
        Assert.Equal((false, false), await StartAsync([], new() { ["PORTICO__Listeners__0__Secret"] = hex }));
        Assert.Equal((true, true), await StartAsync(["--secret", hex], []));

        async Task<(bool IsVisible, bool IsWarned)> StartAsync(string[] arguments, Dictionary<string, string> variables)
        {
            await using var portico = PorticoProcess.Start(directory.Path, ["--port", "0", .. arguments], variables);
            Assert.Contains(hex, await portico.LineAsync("tg://"), StringComparison.Ordinal);
            var visible = SecretSearch.Find(await File.ReadAllBytesAsync($"/proc/{portico.Id}/cmdline"), Key).Count > 0;
            portico.Signal(Signals.Terminate);
            var (_, _, errors) = await portico.EndAsync();
            Assert.Empty(SecretSearch.Find(errors, Key));
            return (visible, errors.Contains("warn: ", StringComparison.Ordinal)
                && errors.Contains("--secret shows the secret to the other users", StringComparison.Ordinal));
        }
    }

    private static async Task AssertRefusedAsync(
        TemporaryDirectory directory, string[] arguments, int atLeast, Dictionary<string, string>? variables = null, int expected = 2)
    {
        var (code, output, errors) = await PorticoProcess.RunAsync(directory.Path, arguments, variables);
        Assert.Equal(expected, code);
        Assert.Empty(output);
        Assert.InRange(errors.TrimEnd().Split('\n').Length, atLeast, 100);
        Assert.Empty(SecretSearch.Find(errors, Key));
    }

    private static void AssertOnlyLinks(string output, ReadOnlySpan<byte> key)
    {
        foreach (var line in output.TrimEnd().Split('\n'))
        {
            if (!line.StartsWith("tg://proxy?", StringComparison.Ordinal)
                && !line.StartsWith("https://t.me/proxy?", StringComparison.Ordinal))
                Assert.Empty(SecretSearch.Find(line, key));
        }
    }
}
