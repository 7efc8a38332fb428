using System.Diagnostics.CodeAnalysis;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// Where a WEB proxy is: a host name and perhaps a path on it. The port is always 443, the scheme always https.
/// Both parts are as apps store them, character for character.
/// </summary>
public sealed record WebAddress
{
    private WebAddress(string host, string path)
    {
        Host = host;
        Path = path;
        Base = path.Length == 0 ? "/" : $"/{path}/";
    }

    /// <summary>Lower-case ASCII, international names in their xn-- form.</summary>
    public string Host { get; }

    /// <summary>Segments joined by slashes, without outer ones; empty = the root.</summary>
    public string Path { get; }

    /// <summary>What every target of ours begins with: <c>/</c> or <c>/PATH/</c>.</summary>
    public string Base { get; }

    /// <summary>
    /// For configuration: takes the stored form and nothing else, so that what is written is what capabilities are made of.
    /// </summary>
    /// <param name="host">1 to 253 characters.</param>
    /// <param name="path">At most 128 characters; empty = the root.</param>
    /// <param name="address">The address.</param>
    /// <param name="error">A sentence that names the spelling to write instead, or what is wrong; empty when all is well.</param>
    public static bool TryCreate(string host, string path, [NotNullWhen(true)] out WebAddress? address, out string error)
    {
        address = WebHost.IsStored(host, out error) && WebPath.IsStored(path, out error) ? new WebAddress(host, path) : null;
        return address is not null;
    }

    /// <summary>As apps read what users type and paste: HOST, HOST/PATH, either with https:// in front, in any case.</summary>
    /// <param name="typed">Any text.</param>
    /// <param name="address">The address in its stored form.</param>
    /// <param name="error">A sentence that says what is wrong; empty when all is well.</param>
    public static bool TryRead(string typed, [NotNullWhen(true)] out WebAddress? address, out string error)
    {
        const string scheme = "https://";
        address = null;
        var text = typed.Trim();
        if (text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
            text = text[scheme.Length..];
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (host, path) = slash < 0 ? (text, "") : (text[..slash], text[(slash + 1)..]);
        if (WebHost.TryRead(host, out var storedHost, out error) && WebPath.TryRead(path, out var storedPath, out error))
            address = new WebAddress(storedHost, storedPath);
        return address is not null;
    }

    /// <summary>Host and path as a user types them.</summary>
    public override string ToString() => Path.Length == 0 ? Host : $"{Host}/{Path}";
}
