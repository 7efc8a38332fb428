using Portico.Protocol.WebProxy;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>A WEB host behind nginx as docs/web-proxy.md sets it up, and with one of its lines left out or changed.</summary>
public sealed class WebNginxTests
{
    private const string Certificates = "/etc/letsencrypt/live/www.example.org";

    public static TheoryData<string, string, string> Lines => new()
    {
        { "", "", "door-good" },
        { "proxy_set_header X-Forwarded-For $remote_addr;", "", "door-claims" },
        { "X-Forwarded-For $remote_addr;", "X-Forwarded-For $proxy_add_x_forwarded_for;", "door-appends" },
        { "proxy_set_header Host $host;", "", "door-other" },
        { "proxy_set_header Upgrade $http_upgrade;", "", "door-no-socket" },
        { "proxy_request_buffering off;", "", "door-collects" },
        { "proxy_buffering off;", "", "door-good" }, // every answer of ours says so itself
        { "proxy_read_timeout 90s;", "proxy_read_timeout 3s;", "door-cuts" },
    };

    [ToolTheory(NginxCover.Program)]
    [MemberData(nameof(Lines))]
    public async Task What_is_wrong_in_its_configuration_is_named(string line, string instead, string name)
    {
        await using var host = await HostBehindFront.StartAsync();
        await using var nginx = await NginxCover.StartAsync(HostBehindFront.Host, cover =>
            DocumentExamples.Block("docs/web-proxy.md", "nginx")
                .With("127.0.0.1:8080", $"{host.Place}")
                .With("listen 443", $"listen {cover.Endpoint}")
                .With($"{Certificates}/fullchain.pem", cover.CertificateFile)
                .With($"{Certificates}/privkey.pem", cover.KeyFile)
                .Replace(line.Length == 0 ? "\0" : line, instead, StringComparison.Ordinal));
        // A request that waits takes seconds; where it does not get that far the socket shows the same.
        var settings = name is "door-good" or "door-cuts" ? host.Settings : host.Without(WebCarrier.Https);

        var finding = await HostBehindFront.FindAsync(settings, FaultyFront.To(nginx.Endpoint));

        Assert.True(finding.Diagnosis.Name == name, $"{finding.Diagnosis.Name}: {finding.Text}");
    }
}
