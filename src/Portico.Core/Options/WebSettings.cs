using System.Collections.Immutable;
using System.Net;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Options;

/// <summary>Telegram's WEB proxy on one listener: a real site, with the proxy inside for those whose link says so.</summary>
public sealed record WebSettings
{
    /// <summary>The host name and path that links show.</summary>
    public required WebAddress Address { get; init; }

    /// <summary>A file with the certificate and its chain, PEM; null = a server in front speaks TLS.</summary>
    public string? Certificate { get; init; }

    /// <summary>The certificate's private key, PEM; null with <see cref="Certificate"/>.</summary>
    public string? Key { get; init; }

    /// <summary>The directory that visitors see; null = not from files.</summary>
    public string? Site { get; init; }

    /// <summary>The server that visitors are passed on to; null = none.</summary>
    public Uri? SiteUpstream { get; init; }

    /// <summary>How frames may travel, the preferred one first.</summary>
    public required ImmutableArray<WebCarrier> Carriers { get; init; }

    /// <summary>Links with the dd form of a secret work.</summary>
    public bool TakesSecure { get; init; } = true;

    /// <summary>Links with the plain form of a secret work.</summary>
    public bool TakesClassic { get; init; }

    /// <summary>
    /// A unix socket on which strangers of the listener come, who are this site's visitors, each with a PROXY header; null = the listener
    /// has no other protocols, and its address is the site's alone.
    /// </summary>
    public string? Socket { get; init; }

    /// <summary>Servers in front, whose <c>X-Forwarded-For</c> says who the client is.</summary>
    public ImmutableArray<IPNetwork> Trusted { get; init; } = [];
}
