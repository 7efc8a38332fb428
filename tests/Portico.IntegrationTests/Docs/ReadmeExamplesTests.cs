using System.Security.Cryptography;
using Portico.Configuration;
using Portico.IntegrationTests.Commands;
using Portico.IntegrationTests.Packages;
using Portico.Protocol.Secrets;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Docs;

/// <summary>What an operator copies from README.md is what the programs that it is meant for understand, and does what it says.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class ReadmeExamplesTests : IDisposable
{
    private const string Curl = "curl";
    private const string Nft = "nft";
    private const string Ufw = "ufw";
    private const string Name = "www.example.com";
    private const string Certificates = $"/etc/letsencrypt/live/{Name}";
    private const string Target = "127.0.0.1:9443";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [ToolFact(NginxCover.Program, Curl)]
    public async Task The_nginx_of_the_readme_shows_its_site_through_a_proxy_started_as_the_unit_does()
    {
        await using var nginx = await NginxCover.StartAsync(Name, cover => ReadmeExamples.Nginx
            .With(Target, $"{cover.Endpoint}")
            .With($"{Certificates}/fullchain.pem", cover.CertificateFile)
            .With($"{Certificates}/privkey.pem", cover.KeyFile)
            .With("/var/www/html", cover.Site));
        _directory.Write("portico.json", $$"""
            { "listeners": [{ "address": "127.0.0.1", "port": 0, "secret": "{{NewSecret()}}", "domain": "{{Name}}" }],
              {{ReadmeExamples.Cover.With(Target, $"{nginx.Endpoint}")}} }
            """);
        await using var portico = PorticoProcess.Start(_directory.Path, ArgumentsOfUnit(), EnvironmentOfUnit());
        var port = await portico.PortAsync();

        var (code, page, errors) = await Programs.RunAsync(
            Curl,
            [
                "--silent", "--show-error", "--fail", "--cacert", nginx.CertificateFile, "--resolve", $"{Name}:{port}:127.0.0.1",
                $"https://{Name}:{port}/",
            ]);

        Assert.Equal((0, NginxCover.Page, ""), (code, page, errors));
    }

    [Fact]
    public void The_listener_behind_a_balancer_trusts_its_network()
    {
        var loaded = LoadedConfiguration.Load(
            $$"""{ "listeners": [{ {{ReadmeExamples.Balancer}} "secret": "{{NewSecret()}}", "domain": "{{Name}}" }] }""", ".", []);

        Assert.Empty(loaded.Errors);
        Assert.Equal("10.0.0.0/8", Assert.Single(loaded.Settings!.Listeners[0].TrustedBalancers).ToString());
    }

    [OwnNetworkFact(Nft)]
    public async Task nftables_takes_the_rule_that_opens_the_port()
    {
        const string Filter = "table inet filter { chain input { type filter hook input priority 0; policy drop; }; }";

        var (code, rules, errors) = await InOwnNetworkAsync(
            "sh", "-c", $"{Nft} '{Filter}' && {ReadmeExamples.Root("nft ")} && {Nft} list ruleset");

        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("tcp dport 443 accept", rules, StringComparison.Ordinal);
    }

    [OwnNetworkFact(Ufw)]
    public async Task ufw_takes_the_rule_that_opens_the_port()
    {
        var (code, rules, errors) = await InOwnNetworkAsync(
            "sh", "-c", ReadmeExamples.Root("ufw ").With("ufw ", "ufw --dry-run "));

        Assert.True(code == 0, errors);
        Assert.Contains("-p tcp --dport 443 -j ACCEPT", rules, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Output, string Errors)> InOwnNetworkAsync(params string[] command) =>
        Programs.RunAsync(OwnNetworkFactAttribute.Unshare, [.. OwnNetworkFactAttribute.Arguments, .. command]);

    // What stands behind the program.
    private static string[] ArgumentsOfUnit() => Assert.Single(ServiceUnit.Values("ExecStart")).Split(' ')[1..];

    // Here the directories that systemd gives are the test's.
    private Dictionary<string, string> EnvironmentOfUnit() =>
        ServiceUnit.Values("Environment").Select(value => value.Split('=', 2)).ToDictionary(
            pair => pair[0],
            pair => pair[1].Replace("/run/portico", _directory.Path, StringComparison.Ordinal));

    private static string NewSecret() =>
        SecretText.FormatSimple(ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length)));
}
