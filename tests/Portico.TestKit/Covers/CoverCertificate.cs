using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Portico.TestKit.Covers;

/// <summary>
/// What a cover proves its name with: signed by itself, ECDSA on P-256,
/// so that its signatures vary by two bytes in length as those of real sites do.
/// </summary>
public static class CoverCertificate
{
    /// <summary>Writes <paramref name="certificate"/> and <paramref name="key"/> as PEM.</summary>
    public static void Write(string name, string certificate, string key)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        using var signed = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        File.WriteAllText(certificate, signed.ExportCertificatePem());
        File.WriteAllText(key, pair.ExportPkcs8PrivateKeyPem());
    }
}
