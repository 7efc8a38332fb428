using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Portico.TestKit.Telegram;

/// <summary>One request to the configuration site.</summary>
/// <param name="Method">GET, one hopes.</param>
/// <param name="Target">Path and query as sent.</param>
/// <param name="Headers">By name, of any case.</param>
public sealed record SiteRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers)
{
    /// <summary>The target without its query.</summary>
    public string Path => Target.Split('?')[0];

    public string? UserAgent => Headers.GetValueOrDefault("User-Agent");

    /// <summary>Reads a head; false while its end is missing.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SiteRequest? request)
    {
        request = null;
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return false;
        var lines = Encoding.ASCII.GetString(bytes[..end]).Split("\r\n");
        var words = lines[0].Split(' ');
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in lines[1..])
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
                headers[line[..colon]] = line[(colon + 1)..].Trim();
        }
        request = new SiteRequest(words[0], words.Length > 1 ? words[1] : "", headers);
        return true;
    }
}
