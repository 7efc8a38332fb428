using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>
/// Will every app and browser take the certificate of a WEB host, and for how long? From our files, or where a server in front has it, as
/// that shows it.
/// </summary>
/// <param name="settings">Of the proxy.</param>
/// <param name="door">How hosts are found.</param>
/// <param name="time">The clock.</param>
/// <param name="roots">Authorities to trust; null = those of this machine.</param>
internal sealed class CertificateCheck(
    ProxySettings settings, PublicDoor door, TimeProvider time, X509Certificate2Collection? roots = null) : ICheck
{
    /// <summary>One that ends sooner than that should have been renewed.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    public string Name => "certificate";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        var judged = await Task.WhenAll(settings.Listeners.Where(listener => listener.Web is not null)
            .DistinctBy(listener => (listener.Web!.Address.Host, listener.Web.Certificate))
            .Select(listener => LookAsync(listener.Web!, stop)));
        return judged.Length > 0
            ? [.. judged.SelectMany(findings => findings)]
            : [Diagnoses.CertificateUnused.Found("no listener has a WEB proxy")];
    }

    private async Task<IReadOnlyList<Finding>> LookAsync(WebSettings web, CancellationToken stop)
    {
        if (web.Certificate is not null) return LookAtFiles(web, web.Certificate, web.Key!);
        var host = web.Address.Host;
        if (!door.MayAsk(host))
            return [Diagnoses.Offline.Found($"{host} was not asked for its certificate")];
        return await door.CertificatesAsync(host, stop) is { } shown
            ? Judge(shown, host, "the server in front", "let the server in front send the chain, in nginx: ssl_certificate fullchain.pem")
            :
            [
                Diagnoses.CertificateUnseen.Found(
                    $"a server in front has the certificate of {host}, and from here nobody speaks TLS there",
                    $"look from elsewhere: `openssl s_client -connect {host}:443 -servername {host}`"),
            ];
    }

    private List<Finding> LookAtFiles(WebSettings web, string certificate, string key)
    {
        if (TextOf(certificate, out var problem) is not { } text || TextOf(key, out problem) is not { } keyText)
        {
            return
            [
                Diagnoses.CertificateUnreadable.Found(
                    $"{problem}: the WEB host does not start",
                    "let the service's user read both: `setfacl -R -m u:portico:rX` on live and archive of /etc/letsencrypt"),
            ];
        }

        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            chain.Clear();
        }

        if (chain.Count == 0)
            return [Diagnoses.CertificateBroken.Found($"{certificate} holds no certificate in PEM", "name the file fullchain.pem")];
        if (!Fits(text, keyText))
        {
            return
            [
                Diagnoses.CertificateKey.Found(
                    $"{key} does not hold the private key of the first certificate in {certificate}",
                    "name the two files of one certificate, its own first: in letsencrypt fullchain.pem and privkey.pem"),
            ];
        }

        return Judge(chain, web.Address.Host, certificate, $"name a file with the whole chain ({Path.GetFileName(certificate)} may be "
            + "cert.pem; fullchain.pem has it), or append the missing one");
    }

    private static string? TextOf(string path, out string problem)
    {
        problem = "";
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            problem = $"{path} cannot be read ({failed.Message.ReplaceLineEndings(" ")})";
            return null;
        }
    }

    private static bool Fits(string certificate, string key)
    {
        try
        {
            using var both = X509Certificate2.CreateFromPem(certificate, key);
            return both.HasPrivateKey;
        }
        catch (Exception problem) when (problem is CryptographicException or ArgumentException)
        {
            return false;
        }
    }

    private List<Finding> Judge(X509Certificate2Collection shown, string host, string where, string chainCure)
    {
        var certificate = shown[0];
        var now = time.GetUtcNow();
        var end = new DateTimeOffset(certificate.NotAfter);
        var findings = new List<Finding>();
        if (now < new DateTimeOffset(certificate.NotBefore))
        {
            findings.Add(Diagnoses.CertificateEarly.Found(
                $"{host}: the certificate ({where}) is good from {Day(certificate.NotBefore)} on: nobody takes it yet",
                "compare the clock (check clock), or take the certificate before"));
        }

        if (now >= end)
        {
            findings.Add(Diagnoses.CertificateExpired.Found(
                $"{host}: the certificate ({where}) has expired on {Day(certificate.NotAfter)}: no app and no browser takes it", Renew));
        }
        else if (end - now < Soon)
        {
            findings.Add(Diagnoses.CertificateExpiring.Found(
                $"{host}: the certificate ({where}) expires on {Day(certificate.NotAfter)}, in {(end - now).TotalDays:0} days", Renew));
        }

        if (!certificate.MatchesHostname(host))
        {
            findings.Add(Diagnoses.CertificateName.Found(
                $"{host}: the certificate ({where}) is for {NamesOf(certificate)}", $"get one for {host}, or correct web.host"));
        }

        if (JudgeChain(shown, host, where, chainCure) is { } broken) findings.Add(broken);
        if (findings.Count == 0)
            findings.Add(Diagnoses.CertificateGood.Found($"{host}: the certificate ({where}) is good until {Day(certificate.NotAfter)}"));
        return findings;
    }

    private const string Renew = "renew it: `certbot renew`, and see with `systemctl list-timers` that this happens by itself";

    private Finding? JudgeChain(X509Certificate2Collection shown, string host, string where, string cure)
    {
        var certificate = shown[0];
        if (roots is null && !KnowsAuthorities())
        {
            return Diagnoses.CertificateUnknown.Found(
                $"{host}: this machine has no list of authorities to judge the certificate by", "`apt-get install ca-certificates`");
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        // Others do not load what is missing either, Android among them.
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ExtraStore.AddRange(shown);
        // Its own end has a finding by itself; that of the others is one of the chain.
        chain.ChainPolicy.VerificationTime = Within(certificate).UtcDateTime;
        if (roots is not null)
        {
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
        }

        var isTrusted = chain.Build(certificate);
        var links = chain.ChainElements.Select(element => element.Certificate).ToList();
        // What this machine has in a store of its own, others may not have: all but the root has to be sent.
        var missing = isTrusted
            ? links.Skip(1).SkipLast(1).FirstOrDefault(link => !shown.Contains(link))?.Subject
            : links.Count == 1 && chain.ChainStatus.Any(status => status.Status == X509ChainStatusFlags.PartialChain)
                ? certificate.Issuer
                : null;
        if (missing is not null)
        {
            return Diagnoses.CertificateIncomplete.Found(
                $"{host}: the certificate of {missing}, which signed the host's, is not sent along ({where}): "
                    + "browsers may find it elsewhere, apps do not",
                cure);
        }

        return isTrusted
            ? null
            : Diagnoses.CertificateUntrusted.Found(
                $"{host}: the certificate ({where}) of {certificate.Issuer} is not trusted "
                    + $"({string.Join(", ", chain.ChainStatus.Select(status => status.Status).Distinct())})",
                "take one of a public authority, for example by certbot: apps allow no exception");
    }

    private DateTimeOffset Within(X509Certificate2 certificate)
    {
        var (now, start, end) = (time.GetUtcNow(), new DateTimeOffset(certificate.NotBefore), new DateTimeOffset(certificate.NotAfter));
        return now < start ? start : now >= end ? end.AddSeconds(-1) : now;
    }

    private static bool KnowsAuthorities()
    {
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        try
        {
            store.Open(OpenFlags.ReadOnly | OpenFlags.OpenExistingOnly);
            return store.Certificates.Count > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static string NamesOf(X509Certificate2 certificate)
    {
        var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(extension => extension.EnumerateDnsNames()).Take(4).ToList();
        return names.Count > 0 ? string.Join(", ", names) : certificate.Subject;
    }

    private static string Day(DateTime local) => FormattableString.Invariant($"{local.ToUniversalTime():yyyy-MM-dd}");
}
