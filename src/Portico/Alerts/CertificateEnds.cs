using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Portico.Core.Options;
using Portico.Doctor.Checks;

namespace Portico.Alerts;

/// <summary>When the certificates in the files of WEB listeners end. A file that cannot be read now is as it was.</summary>
internal sealed class CertificateEnds
{
    // A chain has some ten kilobytes.
    private const long MostBytes = 1 << 20;

    private readonly Dictionary<string, DateTimeOffset> _ends = new(StringComparer.Ordinal);

    /// <summary>Reads the files anew; null = none of them ends soon.</summary>
    public AlertState? Look(ProxySettings settings, DateTimeOffset now)
    {
        var ending = new List<(string Listener, DateTimeOffset End)>();
        foreach (var listener in settings.Listeners)
        {
            if (listener.Web?.Certificate is not { } path) continue;
            if (EndOf(path) is { } end) _ends[path] = end;
            if (_ends.TryGetValue(path, out var known) && known - now < CertificateCheck.Soon)
                ending.Add((listener.Name, known));
        }

        if (ending.Count == 0) return null;
        var first = ending.Min(it => it.End);
        var names = string.Join(", ", ending.Select(it => it.Listener));
        var text = first <= now
            ? $"The certificate of the WEB host of {names} has expired and no app takes it: renew it, for example with `certbot renew`."
            : FormattableString.Invariant(
                $"The certificate of the WEB host of {names} expires on {first.UtcDateTime:yyyy-MM-dd}: renew it, for example with ")
                + "`certbot renew`.";
        var details = new JsonObject
        {
            ["listeners"] = new JsonArray([.. ending.Select(it => (JsonNode)it.Listener)]),
            ["expiresAt"] = first.UtcDateTime,
            ["expired"] = first <= now,
        };
        return new AlertState(text, $"{names} {first.UtcTicks} {first <= now}", details);
    }

    private static DateTimeOffset? EndOf(string path)
    {
        try
        {
            if (new FileInfo(path).Length > MostBytes) return null;
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(path));
            return new DateTimeOffset(certificate.NotAfter);
        }
        catch (Exception problem) when (
            problem is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return null; // whoever serves it says so
        }
    }
}
