using System.Net;
using System.Security.Cryptography.X509Certificates;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Doctor;
using Portico.Doctor.Checks;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>The certificate of a WEB host with one fault at a time.</summary>
public sealed class WebCertificateTests : IDisposable
{
    private const string Host = "www.example.org";

    private readonly TestAuthority _authority = new();
    private readonly TemporaryDirectory _files = new();

    public void Dispose()
    {
        _authority.Dispose();
        _files.Dispose();
    }

    [Fact]
    public async Task A_whole_chain_for_the_hosts_name_is_good()
    {
        using var certificate = _authority.Sign(Host);

        var finding = await OneAsync(certificate.ExportCertificatePem() + "\n" + _authority.BetweenPem, TestAuthority.KeyPem(certificate));

        Assert.Equal(("certificate-good", ""), (finding.Diagnosis.Name, finding.Cure));
    }

    [Theory]
    [InlineData(-30, 13, "certificate-expiring", "certbot renew")]
    [InlineData(-30, 15, "certificate-good", "")]
    [InlineData(-30, -1, "certificate-expired", "certbot renew")]
    [InlineData(1, 30, "certificate-early", "clock")]
    public async Task Its_days_are_counted(int start, int end, string name, string cure)
    {
        using var certificate = _authority.Sign(Host, TimeSpan.FromDays(start), TimeSpan.FromDays(end));

        var finding = await OneAsync(certificate.ExportCertificatePem() + "\n" + _authority.BetweenPem, TestAuthority.KeyPem(certificate));

        Assert.Equal(name, finding.Diagnosis.Name);
        Assert.Contains(cure, finding.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_certificate_between_it_is_incomplete()
    {
        using var certificate = _authority.Sign(Host);

        var finding = await OneAsync(certificate.ExportCertificatePem(), TestAuthority.KeyPem(certificate));

        Assert.Equal("certificate-incomplete", finding.Diagnosis.Name);
        Assert.Contains("CN=Test intermediate", finding.Text, StringComparison.Ordinal);
        Assert.Contains("fullchain.pem", finding.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_between_that_only_this_machine_has_is_missing_all_the_same()
    {
        using var certificate = _authority.Sign(Host);
        var roots = _authority.Roots;
        roots.ImportFromPem(_authority.BetweenPem);

        var finding = await OneAsync(certificate.ExportCertificatePem(), TestAuthority.KeyPem(certificate), roots);

        Assert.Equal("certificate-incomplete", finding.Diagnosis.Name);
    }

    [Fact]
    public async Task One_that_nobody_signed_or_somebody_unknown_is_not_trusted()
    {
        using var stranger = new TestAuthority();
        using var certificate = stranger.Sign(Host);

        var finding = await OneAsync(certificate.ExportCertificatePem() + "\n" + stranger.BetweenPem, TestAuthority.KeyPem(certificate));

        Assert.Equal("certificate-untrusted", finding.Diagnosis.Name);
    }

    [Fact]
    public async Task One_for_another_name_is_named_with_its_names()
    {
        using var certificate = _authority.Sign("mail.example.org");

        var finding = await OneAsync(certificate.ExportCertificatePem() + "\n" + _authority.BetweenPem, TestAuthority.KeyPem(certificate));

        Assert.Equal("certificate-name", finding.Diagnosis.Name);
        Assert.Contains("is for mail.example.org", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Anothers_key_does_not_fit_and_no_key_is_printed()
    {
        using var certificate = _authority.Sign(Host);
        using var other = _authority.Sign(Host);
        var key = TestAuthority.KeyPem(other);

        var finding = await OneAsync(certificate.ExportCertificatePem() + "\n" + _authority.BetweenPem, key);

        Assert.Equal("certificate-key", finding.Diagnosis.Name);
        Assert.DoesNotContain(key.Split('\n')[1], finding.Text + finding.Cure, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_whole_chain_in_the_wrong_order_does_not_fit_its_key()
    {
        using var certificate = _authority.Sign(Host);

        var finding = await OneAsync(_authority.BetweenPem + "\n" + certificate.ExportCertificatePem(), TestAuthority.KeyPem(certificate));

        Assert.Equal("certificate-key", finding.Diagnosis.Name);
        Assert.Contains("its own first", finding.Cure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not a certificate", "certificate-broken")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate-broken")]
    [InlineData("", "certificate-broken")]
    [InlineData(null, "certificate-unreadable")]
    public async Task A_file_that_is_none_or_not_there_is_told(string? certificate, string name)
    {
        var finding = await OneAsync(certificate, "no key");

        Assert.Equal((name, Verdict.Fail), (finding.Diagnosis.Name, finding.Verdict));
        Assert.Contains("site.pem", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_faults_are_two_lines()
    {
        using var certificate = _authority.Sign("mail.example.org", end: TimeSpan.FromDays(-2));
        _files.Write("site.pem", certificate.ExportCertificatePem());
        _files.Write("site.key", TestAuthority.KeyPem(certificate));

        var findings = await Check(_authority.Roots).RunAsync(CancellationToken.None);

        Assert.Equal(
            ["certificate-expired", "certificate-name", "certificate-incomplete"], findings.Select(finding => finding.Diagnosis.Name));
    }

    [Theory]
    [InlineData(true, "certificate-good")]
    [InlineData(false, "certificate-incomplete")]
    public async Task Where_a_server_in_front_has_it_what_that_shows_is_judged(bool isWhole, string name)
    {
        using var certificate = _authority.Sign(Host);
        X509Certificate2Collection between = [];
        if (isWhole) between.ImportFromPem(_authority.BetweenPem);
        await using var front = FaultyFront.Start(new IPEndPoint(IPAddress.Loopback, 1), certificate, between);

        var finding = Assert.Single(await Check(_authority.Roots, front.Access, hasFiles: false).RunAsync(CancellationToken.None));

        Assert.Equal(name, finding.Diagnosis.Name);
        Assert.Contains("the server in front", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_nobody_speaks_TLS_in_front_nothing_is_said_about_it()
    {
        var access = new NetworkAccess(IsOffline: false) { Resolve = (_, _) => Task.FromResult<IPAddress[]>([]) };

        var unseen = await Check(null, access, hasFiles: false).RunAsync(CancellationToken.None);
        var offline = await Check(null, new NetworkAccess(IsOffline: true), hasFiles: false).RunAsync(CancellationToken.None);

        Assert.Equal("certificate-unseen", Assert.Single(unseen).Diagnosis.Name);
        Assert.Equal("offline", Assert.Single(offline).Diagnosis.Name);
    }

    private async Task<Finding> OneAsync(string? certificate, string key, X509Certificate2Collection? roots = null)
    {
        if (certificate is not null) _files.Write("site.pem", certificate);
        _files.Write("site.key", key);
        return Assert.Single(await Check(roots ?? _authority.Roots).RunAsync(CancellationToken.None));
    }

    private CertificateCheck Check(X509Certificate2Collection? roots, NetworkAccess? access = null, bool hasFiles = true)
    {
        Assert.True(WebAddress.TryCreate(Host, "", out var address, out _));
        var web = new WebSettings
        {
            Address = address,
            Carriers = [WebCarrier.Https],
            Certificate = hasFiles ? _files.File("site.pem") : null,
            Key = hasFiles ? _files.File("site.key") : null,
        };
        return new CertificateCheck(
            Settings(web), new PublicDoor(access ?? new NetworkAccess(IsOffline: true)), TimeProvider.System, roots);
    }

    /// <summary>One listener with this WEB host and nothing else.</summary>
    internal static ProxySettings Settings(WebSettings web) => new()
    {
        Listeners =
        [
            new ListenerSettings
            {
                Name = "main",
                Address = new IPEndPoint(IPAddress.Loopback, 8080),
                Credentials = [new Credential("default", ProxySecret.Create("0123456789abcdef"u8))],
                Protocols = ClientProtocols.None,
                Web = web,
            },
        ],
        Direct = new(),
        TimeWindow = new(),
        Timeouts = new(),
    };
}
