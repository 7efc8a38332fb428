using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Options;

/// <summary>Reads <c>listeners[].web</c>.</summary>
/// <param name="errors">What is wrong is added here.</param>
/// <param name="warnings">What is unwise is added here.</param>
internal sealed class WebOptionsParser(List<ConfigurationError> errors, List<ConfigurationError> warnings)
{
    /// <summary>The result is complete only if no error was added; null = the listener has none.</summary>
    /// <param name="web">As written.</param>
    /// <param name="credentials">Of the listener.</param>
    /// <param name="path">Of the section, for errors.</param>
    public WebSettings? Parse(WebOptions? web, ImmutableArray<Credential> credentials, string path)
    {
        if (web is null) return null;
        var address = ParseAddress(web, path);
        CheckCertificate(web, path);
        var upstream = ParseSite(web, path);
        if (address is null) return null;

        var settings = new WebSettings
        {
            Address = address,
            Certificate = web.Certificate,
            Key = web.Key,
            Site = web.Site,
            SiteUpstream = upstream,
            Carriers = ParseCarriers(web, path),
            TakesSecure = web.Secrets.Contains("secure"),
            TakesClassic = web.Secrets.Contains("classic"),
            Trusted = ParseTrusted(web.Trusted, $"{path}.trusted"),
        };
        if (web.Secrets.Length == 0)
            errors.Add(new($"{path}.secrets", """needs at least one; for example "secrets": ["secure"]"""));
        else CheckCapabilities(settings, credentials, path);
        return settings;
    }

    private WebAddress? ParseAddress(WebOptions web, string path)
    {
        const string Example = "for example \"host\": \"www.example.org\"";
        if (web.Host is null)
        {
            errors.Add(new($"{path}.host", $"is missing: apps need the name of a site; {Example}"));
            return null;
        }

        if (!WebAddress.TryCreate(web.Host, "", out _, out var problem))
            errors.Add(new($"{path}.host", $"{problem}; {Example}"));
        else if (!WebAddress.TryCreate(web.Host, web.Path, out var address, out problem))
            errors.Add(new($"{path}.path", $"{problem}; for example \"path\": \"chat\""));
        else return address;
        return null;
    }

    private void CheckCertificate(WebOptions web, string path)
    {
        if (web.Certificate is not null && web.Key is null)
            errors.Add(new($"{path}.key", "is missing: the private key of certificate; for example \"key\": \"/etc/ssl/site.key\""));
        if (web.Key is not null && web.Certificate is null)
        {
            errors.Add(new(
                $"{path}.certificate", "is missing: the one that key belongs to; for example \"certificate\": \"/etc/ssl/site.pem\""));
        }
    }

    private Uri? ParseSite(WebOptions web, string path)
    {
        if (web.Site is null && web.SiteUpstream is null)
        {
            warnings.Add(new(
                $"{path}.site", "is missing, so everybody else sees \"404\" on every path; "
                    + "name the directory of a site of your own, or a web server in siteUpstream"));
        }
        else if (web.Site is not null && web.SiteUpstream is not null)
        {
            errors.Add(new($"{path}.siteUpstream", "and site are both given; leave one out"));
        }

        if (web.SiteUpstream is null) return null;
        if (Uri.TryCreate(web.SiteUpstream, UriKind.Absolute, out var upstream)
            && upstream is { Scheme: "http" or "https", AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" })
            return upstream;
        errors.Add(new($"{path}.siteUpstream", $"{ShownText.Quote(web.SiteUpstream)} is not the address of a web server without a path; "
            + "for example \"siteUpstream\": \"http://127.0.0.1:8080\""));
        return null;
    }

    private ImmutableArray<WebCarrier> ParseCarriers(WebOptions web, string path)
    {
        var carriers = ImmutableArray.CreateBuilder<WebCarrier>(web.Carriers.Length);
        if (web.Carriers.Length == 0)
            errors.Add(new($"{path}.carriers", """needs at least one; for example "carriers": ["websocket", "https"]"""));
        foreach (var text in web.Carriers)
        {
            // Others are reported by the rule of the option.
            foreach (var carrier in Enum.GetValues<WebCarrier>())
            {
                if (carrier.Tag() != text) continue;
                if (carriers.Contains(carrier))
                    errors.Add(new($"{path}.carriers", $"\"{text}\" stands there twice; leave one out"));
                carriers.Add(carrier);
            }
        }

        return carriers.ToImmutable();
    }

    private ImmutableArray<IPNetwork> ParseTrusted(string[] networks, string path)
    {
        var parsed = ImmutableArray.CreateBuilder<IPNetwork>(networks.Length);
        for (var i = 0; i < networks.Length; i++)
        {
            if (!NetworkText.TryParse(networks[i], out var network, out var problem))
                errors.Add(new($"{path}[{i}]", problem));
            else if (network.PrefixLength == 0)
                errors.Add(new($"{path}[{i}]", "would let everybody say to be anybody; name the server in front, as \"127.0.0.1/32\""));
            else parsed.Add(network);
        }

        return parsed.ToImmutable();
    }

    private void CheckCapabilities(WebSettings settings, ImmutableArray<Credential> credentials, string path)
    {
        Span<byte> key = stackalloc byte[CapabilityTable.KeyLength];
        RandomNumberGenerator.Fill(key);
        var entries = EntriesOf(settings, credentials);
        if (CapabilityTable.TryCreate(settings.Address, entries.Select(entry => entry.Link).ToList(), key, out _, out var twins))
            return;
        // One secret twice is an error by itself.
        if (entries[twins.First].Credential.Secret.Equals(entries[twins.Second].Credential.Secret))
            return;
        var (one, other) = (entries[twins.First].Credential.Name, entries[twins.Second].Credential.Name);
        errors.Add(new($"{path}.secrets", $"the secrets of {one} and {other} cannot be told apart in WEB links; "
            + "`portico secret` prints a fresh one"));
    }

    /// <summary>Who may have a WEB link, and in which form: what capabilities are made of.</summary>
    internal static ImmutableArray<(Credential Credential, (SecretKind Kind, ProxySecret Secret) Link)> EntriesOf(
        WebSettings settings, ImmutableArray<Credential> credentials)
    {
        var entries = ImmutableArray.CreateBuilder<(Credential, (SecretKind, ProxySecret))>();
        // Nobody learns that there is a bridge from the link of a user who is switched off.
        foreach (var credential in credentials.Where(credential => credential.Terms.IsEnabled))
        {
            if (settings.TakesSecure)
                entries.Add((credential, (SecretKind.Secure, credential.Secret)));
            if (settings.TakesClassic)
                entries.Add((credential, (SecretKind.Simple, credential.Secret)));
        }

        return entries.ToImmutable();
    }
}
