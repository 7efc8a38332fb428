namespace Portico.Core.Options;

/// <summary><c>listeners[].web</c>.</summary>
public sealed class WebOptions
{
    /// <summary>Host.</summary>
    [Option("Host name of the site, in the form that apps store: lower-case ASCII (xn--… for others), no address. "
            + "Links show it, always with port 443. Needed.",
        Example = "\"www.example.org\"", Needed = true, TakesEffect = TakesEffect.NewSessions)]
    public string? Host { get; set; }

    /// <summary>Path.</summary>
    [Option("Path below which the proxy is: segments of letters, digits, dashes and underscores, parted by slashes. Empty = the root, "
            + "which every app with WEB proxies knows; apps from before there were paths ask for an update.",
        Example = "\"chat\"", TakesEffect = TakesEffect.NewSessions)]
    public string Path { get; set; } = "";

    /// <summary>Certificate.</summary>
    [Option("File with the certificate of the host and its chain, PEM; read again when it changes. Publicly valid, or no app connects. "
            + "Absent = a server in front speaks TLS and passes plain HTTP on.",
        Example = "\"/etc/letsencrypt/live/www.example.org/fullchain.pem\"", TakesEffect = TakesEffect.NewSessions)]
    public string? Certificate { get; set; }

    /// <summary>Key.</summary>
    [Option("File with the certificate's private key, PEM. Needed with certificate.",
        Example = "\"/etc/letsencrypt/live/www.example.org/privkey.pem\"", TakesEffect = TakesEffect.NewSessions)]
    public string? Key { get; set; }

    /// <summary>Site; none, since a page that many show is known by it.</summary>
    [Option("Directory with the site that everybody else sees, kept in memory. Use a site of your own: none is shipped. "
            + "Absent, and no siteUpstream = \"404\" on every path.",
        Example = "\"/srv/www\"", TakesEffect = TakesEffect.NewSessions)]
    public string? Site { get; set; }

    /// <summary>Upstream.</summary>
    [Option("Web server that everybody else is passed on to, in place of site.",
        Example = "\"http://127.0.0.1:8080\"", TakesEffect = TakesEffect.NewSessions)]
    public string? SiteUpstream { get; set; }

    /// <summary>Carriers; the quick one first, and the one that goes through everything.</summary>
    [Option("How an app's page may talk to us, the preferred way first: the page takes the next where one is blocked.",
        OneOf = ["websocket", "https", "websocket-lanes", "https-lanes"], TakesEffect = TakesEffect.NewSessions)]
    public string[] Carriers { get; set; } = ["websocket", "https"];

    /// <summary>Secrets; the form whose packets have no telling lengths.</summary>
    [Option("Forms of secrets that WEB links may have, whatever protocols says: secure (dd), classic (plain).",
        OneOf = ["secure", "classic"], TakesEffect = TakesEffect.NewSessions)]
    public string[] Secrets { get; set; } = ["secure"];

    /// <summary>Trusted; nobody, since whoever is in them can say to be anybody.</summary>
    [Option("Networks of servers in front that speak TLS: from these, X-Forwarded-For with one address says who the client is. "
            + "From all others the header is not looked at.",
        Example = """["127.0.0.1/32", "::1/128"]""", TakesEffect = TakesEffect.NewSessions)]
    public string[] Trusted { get; set; } = [];
}
