using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Portico.Core.Options;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.SelfTest.WebApp;

namespace Portico.SelfTest;

/// <summary>A WEB host's certificate and site, made on the spot, and the way there.</summary>
internal sealed class WebHostUnderTest
{
    private const string PageName = "index.html";

    private readonly ProxySecret _secret;
    private readonly byte[] _certificate;
    private readonly WebAddress _address;
    private IPEndPoint? _endpoint;

    /// <param name="directory">Where its files may be.</param>
    /// <param name="secret">Who knows it is a client.</param>
    public WebHostUnderTest(string directory, ProxySecret secret)
    {
        _secret = secret;
        _address = WebAddress.TryCreate(SelfTestClient.AnyDomain, "", out var address, out var error)
            ? address
            : throw new InvalidOperationException(error);
        var site = Directory.CreateDirectory(Path.Combine(directory, "site")).FullName;
        Page = $"<!doctype html><title>{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}</title>\n";
        File.WriteAllText(Path.Combine(site, PageName), Page);
        var (certificate, key) = (Path.Combine(directory, "site.pem"), Path.Combine(directory, "site.key"));
        _certificate = WriteCertificate(certificate, key);
        Settings = new WebSettings
        {
            Address = _address,
            Certificate = certificate,
            Key = key,
            Site = site,
            Carriers = [.. Enum.GetValues<WebCarrier>()],
            TakesClassic = true,
        };
    }

    /// <summary>For the listener.</summary>
    public WebSettings Settings { get; }

    /// <summary>What strangers see.</summary>
    public string Page { get; }

    /// <summary>It is open.</summary>
    public void IsAt(EndPoint endpoint) => _endpoint = (IPEndPoint)endpoint;

    /// <summary>The way there for an app with a link of one form. No certificate is good but the one that was made.</summary>
    public WebDoor Door(bool isSecure) => new(
        new Uri(Capability.BridgeUrl(_address, isSecure ? SecretKind.Secure : SecretKind.Simple, _secret)),
        cancel => SelfTestClient.DialAsync(_endpoint!, cancel),
        (_, certificate, _, _) => certificate is not null && certificate.GetRawCertData().AsSpan().SequenceEqual(_certificate));

    private static byte[] WriteCertificate(string certificate, string key)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={SelfTestClient.AnyDomain}", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(SelfTestClient.AnyDomain);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllText(certificate, made.ExportCertificatePem());
        File.WriteAllText(key, pair.ExportPkcs8PrivateKeyPem());
        return made.RawData;
    }
}
