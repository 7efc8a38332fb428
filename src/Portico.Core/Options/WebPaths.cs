namespace Portico.Core.Options;

/// <summary>Where the files of a WEB proxy are.</summary>
/// <param name="baseDirectory">Absolute; where relative paths start, and where the configuration is.</param>
/// <param name="dataDirectory">Absolute.</param>
/// <param name="errors">What is wrong is added here.</param>
internal sealed class WebPaths(string baseDirectory, string dataDirectory, List<ConfigurationError> errors)
{
    /// <summary>The same with absolute paths.</summary>
    /// <param name="web">Parsed; null = none.</param>
    /// <param name="path">Of the section, for errors.</param>
    public WebSettings? Place(WebSettings? web, string path)
    {
        if (web is null) return null;
        var site = Absolute(web.Site, $"{path}.site");
        if (site is not null && (Holds(site, baseDirectory) || Holds(site, dataDirectory)))
        {
            errors.Add(new($"{path}.site", $"{ShownText.Quote(site)} holds the configuration or the data directory, which everybody could "
                + "read then; name a directory of its own, for example \"/srv/www\""));
        }

        return web with
        {
            Certificate = Absolute(web.Certificate, $"{path}.certificate"),
            Key = Absolute(web.Key, $"{path}.key"),
            Site = site,
        };
    }

    private string? Absolute(string? path, string key)
    {
        if (path is null) return null;
        if (!string.IsNullOrWhiteSpace(path) && !path.Contains('\0', StringComparison.Ordinal))
            return Path.GetFullPath(path, baseDirectory);
        errors.Add(new(key, "is no path; leave it away if there is none"));
        return null;
    }

    private static bool Holds(string directory, string other)
    {
        var inside = Path.GetRelativePath(directory, other);
        return inside == "." || !(inside == ".." || inside.StartsWith("../", StringComparison.Ordinal) || Path.IsPathRooted(inside));
    }
}
