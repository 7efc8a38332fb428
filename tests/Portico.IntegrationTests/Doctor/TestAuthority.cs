using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Portico.IntegrationTests.Doctor;

/// <summary>An authority as public ones are: a root, one certificate between, and those that it signs for hosts.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _between;

    public TestAuthority()
    {
        var now = DateTimeOffset.UtcNow;
        _root = Make("CN=Test root", null, isAuthority: true, now.AddYears(-1), now.AddYears(10), []);
        _between = Make("CN=Test intermediate", _root, isAuthority: true, now.AddYears(-1), now.AddYears(5), []);
    }

    /// <summary>Whom to trust. A copy without its key.</summary>
    public X509Certificate2Collection Roots => [X509CertificateLoader.LoadCertificate(_root.RawData)];

    public string BetweenPem => _between.ExportCertificatePem();

    /// <summary>A host's certificate and key.</summary>
    public X509Certificate2 Sign(string host, TimeSpan? start = null, TimeSpan? end = null)
    {
        var now = DateTimeOffset.UtcNow;
        var (from, to) = (now + (start ?? TimeSpan.FromDays(-30)), now + (end ?? TimeSpan.FromDays(60)));
        return Make($"CN={host}", _between, isAuthority: false, from, to, [host]);
    }

    public static string KeyPem(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }

    public void Dispose()
    {
        _root.Dispose();
        _between.Dispose();
    }

    private static X509Certificate2 Make(
        string name, X509Certificate2? issuer, bool isAuthority, DateTimeOffset start, DateTimeOffset end, string[] hosts)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(isAuthority, false, 0, true));
        if (hosts.Length > 0)
        {
            var names = new SubjectAlternativeNameBuilder();
            foreach (var host in hosts) names.AddDnsName(host);
            request.CertificateExtensions.Add(names.Build());
        }

        if (issuer is null) return request.CreateSelfSigned(start, end);
        using var signed = request.Create(issuer, start, end, RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
