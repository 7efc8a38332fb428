using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;

namespace Portico.Core.Options;

/// <summary>The <c>backend.middle</c> section. The result is complete only if no error was added.</summary>
internal sealed class MiddleProxyOptionsParser(List<ConfigurationError> errors, List<ConfigurationError> warnings)
{
    private const string Section = "backend.middle";
    private const string ExternalExample = "for example \"externalIp\": \"203.0.113.7\", "
        + "or \"203.0.113.7,2001:db8::7\" for one of each family";

    public MiddleProxySettings Parse(MiddleProxyOptions middle)
    {
        var standard = new MiddleProxySettings();
        var external = External(middle.ExternalIp);
        return new MiddleProxySettings
        {
            SecretUrl = DocumentUrl(middle.SecretUrl, "secretUrl", standard.SecretUrl),
            ConfigUrl = DocumentUrl(middle.ConfigUrl, "configUrl", standard.ConfigUrl),
            ConfigV6Url = middle.ConfigV6Url is { } text ? DocumentUrl(text, "configV6Url", standard.ConfigV6Url!) : null,
            Refresh = TimeSpan.FromSeconds(middle.RefreshSeconds),
            HttpTimeout = TimeSpan.FromMilliseconds(middle.HttpTimeoutMs),
            ExternalV4 = external.Find(address => address.AddressFamily == AddressFamily.InterNetwork),
            ExternalV6 = external.Find(address => address.AddressFamily == AddressFamily.InterNetworkV6),
            IpLookupServices = [.. middle.IpLookupServices.Select(
                (url, i) => Url(url, $"{Section}.ipLookupServices[{i}]", "\"https://v4.ident.me/\"") ?? standard.IpLookupServices[0])],
            InitialConnections = middle.InitialConnections,
            ClientsPerConnection = middle.ClientsPerConnection,
            CheckCrc = middle.CheckCrc,
            BackPressure = BackPressure(middle.Backpressure, middle.ClientsPerConnection),
        };
    }

    private static BackPressureSettings BackPressure(BackPressureOptions limits, int clientsPerConnection)
    {
        var standard = BackPressureSettings.For(clientsPerConnection);
        return new BackPressureSettings
        {
            BytesTotal = limits.BytesTotal ?? standard.BytesTotal,
            PacketsTotal = limits.PacketsTotal,
            BytesPerClient = limits.BytesPerClient,
            PacketsPerClient = limits.PacketsPerClient,
        };
    }

    private Uri DocumentUrl(string text, string name, Uri standard)
    {
        var key = $"{Section}.{name}";
        var url = Url(text, key, $"\"{name}\": \"{standard}\"") ?? standard;
        // Whoever can change the list on its way names the servers that our clients' packets go to.
        if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback)
            warnings.Add(new(key, "http: anybody on the way can change what is downloaded; use https"));
        return url;
    }

    private Uri? Url(string text, string key, string example)
    {
        // A user name or password would end up in logs.
        if (Uri.TryCreate(text, UriKind.Absolute, out var url)
            && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            && url.UserInfo.Length == 0)
            return url;
        errors.Add(new(key, $"{ShownText.Quote(text)} is not an address that begins with https:// "
            + $"or http:// and holds no password; for example {example}"));
        return null;
    }

    private List<IPAddress> External(string? text)
    {
        const string Key = $"{Section}.externalIp";
        var found = new List<IPAddress>();
        foreach (var part in text?.Split(',', StringSplitOptions.TrimEntries) ?? [])
        {
            if (!NetworkText.TryAddress(part, out var address))
            {
                errors.Add(new(Key, $"{ShownText.Quote(part)} is not an IP address; {ExternalExample}"));
                continue;
            }

            if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
            if (found.Exists(other => other.AddressFamily == address.AddressFamily))
            {
                errors.Add(new(Key, $"has two addresses of the same family, and Telegram sees only one of them; {ExternalExample}"));
                continue;
            }

            found.Add(address);
            if (AddressReach.Of(address) != Reach.World)
                warnings.Add(new(
                    Key,
                    $"{address} cannot be reached from everywhere, so it is hardly what Telegram sees; links will fail if it is not"));
        }

        return found;
    }
}
