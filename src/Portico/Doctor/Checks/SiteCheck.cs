using System.Net.Sockets;
using System.Text;
using Portico.Core.Options;

namespace Portico.Doctor.Checks;

/// <summary>Is there a site for those without a link, and does it stay out of the bridge page's way?</summary>
/// <param name="settings">Of the proxy.</param>
/// <param name="access">Whether a web server behind us may be asked.</param>
internal sealed class SiteCheck(ProxySettings settings, NetworkAccess access) : ICheck
{
    private const int MostTexts = 64, MostBytes = 1024 * 1024;

    private static readonly string[] Readable = [".html", ".htm", ".js", ".mjs"];

    public string Name => "site";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        var findings = await Task.WhenAll(settings.Listeners.Where(listener => listener.Web is not null)
            .DistinctBy(listener => (listener.Web!.Address.Host, listener.Web.Site, listener.Web.SiteUpstream))
            .Select(listener => LookAsync(listener.Web!, stop)));
        return findings.Length > 0 ? findings : [Diagnoses.SiteUnused.Found("no listener has a WEB proxy")];
    }

    private async Task<Finding> LookAsync(WebSettings web, CancellationToken stop)
    {
        if (web.SiteUpstream is { } server) return await AskAsync(web.Address.Host, server, stop);
        if (web.Site is { } directory) return LookAtFiles(web.Address.Host, directory, stop);
        return Diagnoses.SiteNone.Found(
            $"{web.Address.Host}: there is none: a prober sees 404 on every path of a host with a good certificate",
            "name a directory with pages of your own in web.site, or a web server in web.siteUpstream");
    }

    private static Finding LookAtFiles(string host, string directory, CancellationToken stop)
    {
        try
        {
            if (!File.Exists(Path.Combine(directory, "index.html")))
            {
                // Also says whether the directory itself can be looked into.
                Directory.GetFiles(directory);
                return Diagnoses.SiteEmpty.Found($"{host}: {directory} has no index.html: \"/\" is answered with 404", "write one");
            }

            foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
                .Where(file => Readable.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)).Take(MostTexts))
            {
                stop.ThrowIfCancellationRequested();
                if (RegistersWorker(TextOf(file))) return Worker(host, file);
            }

            return Diagnoses.SiteGood.Found($"{host}: {directory} has one, and no service worker was found in its pages");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return Diagnoses.SiteUnreadable.Found(
                $"{host}: {directory} cannot be read ({problem.Message.ReplaceLineEndings(" ")}): the WEB host does not start",
                "correct web.site, or let the service's user read it: `chmod -R a+rX`");
        }
    }

    private static string TextOf(string file)
    {
        using var stream = File.OpenRead(file);
        var bytes = new byte[Math.Min(stream.Length, MostBytes)];
        return Encoding.Latin1.GetString(bytes, 0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
    }

    // The page and the scripts that it names: there is no more to be found without running them.
    private async Task<Finding> AskAsync(string host, Uri server, CancellationToken stop)
    {
        if (!access.MayAsk(server.Host))
            return Diagnoses.Offline.Found($"{server} was not asked for the site");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false })
        {
            MaxResponseContentBufferSize = MostBytes,
            Timeout = access.Patience,
        };
        http.DefaultRequestHeaders.Host = host;
        try
        {
            using var answer = await http.GetAsync(new Uri(server, "/"), stop);
            var page = await answer.Content.ReadAsStringAsync(stop);
            if (answer.Headers.Location is { IsAbsoluteUri: true, AbsolutePath: "/", Scheme: "https" } to && to.Host == host)
            {
                return Diagnoses.SiteLoops.Found(
                    $"{host}: {server} sends visitors of \"/\" to {to}, which is where they come from",
                    "give that server a site of its own for us, without the redirection to https");
            }

            if (RegistersWorker(page)) return Worker(host, new Uri(server, "/").ToString());
            foreach (var script in ScriptsOf(page, host).Take(MostTexts / 4))
            {
                if (RegistersWorker(await ScriptAsync(http, new Uri(server, script), stop)))
                    return Worker(host, script);
            }

            return Diagnoses.SiteGood.Found(
                $"{host}: {server} answers with {(int)answer.StatusCode}, and no service worker was found in its page and scripts");
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException or SocketException)
        {
            return Down(problem.GetBaseException().Message.ReplaceLineEndings(" "));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return Down("nothing comes");
        }

        Finding Down(string problem) => Diagnoses.SiteDown.Found(
            $"{host}: {server}, which has the site, does not answer ({problem}): visitors see 502 on every path",
            "start that server, or correct web.siteUpstream");
    }

    private static async Task<string> ScriptAsync(HttpClient http, Uri script, CancellationToken stop)
    {
        try
        {
            return await http.GetStringAsync(script, stop);
        }
        catch (Exception problem) when (problem is HttpRequestException)
        {
            return ""; // one that is missing registers nothing
        }
    }

    // Of this host: others' scripts could not be asked by our way.
    private static IEnumerable<string> ScriptsOf(string page, string host)
    {
        var root = new Uri($"https://{host}/");
        for (var at = 0; (at = page.IndexOf("<script", at, StringComparison.OrdinalIgnoreCase)) >= 0;)
        {
            var end = page.IndexOf('>', at);
            if (end < 0) yield break;
            var source = SourceIn(page.AsSpan(at, end - at));
            at = end;
            if (source.Length > 0 && Uri.TryCreate(root, source, out var url) && url.Host == host)
                yield return url.PathAndQuery;
        }
    }

    private static string SourceIn(ReadOnlySpan<char> tag)
    {
        const string name = "src=";
        var from = tag.IndexOf(name, StringComparison.OrdinalIgnoreCase);
        if (from < 0) return "";
        var value = tag[(from + name.Length)..];
        if (value.Length > 0 && value[0] is '"' or '\'')
        {
            var end = value[1..].IndexOf(value[0]);
            return end < 0 ? "" : value.Slice(1, end).ToString();
        }

        var space = value.IndexOfAny(' ', '\t', '\n');
        return (space < 0 ? value : value[..space]).ToString();
    }

    /// <summary>Whether a page or script seems to register a service worker: it has both words, and not merely to unregister one.</summary>
    internal static bool RegistersWorker(string text)
    {
        const string word = "register";
        if (!text.Contains("serviceWorker", StringComparison.Ordinal)) return false;
        for (var at = 0; (at = text.IndexOf(word, at, StringComparison.Ordinal)) >= 0; at += word.Length)
        {
            var end = at + word.Length;
            if (at > 0 && !char.IsAsciiLetter(text[at - 1]) && (end == text.Length || !char.IsAsciiLetter(text[end])))
                return true;
        }

        return false;
    }

    private static Finding Worker(string host, string where) => Diagnoses.SiteServiceWorker.Found(
        $"{host}: {where} registers a service worker: where it governs \"/\", it takes the requests of the bridge page in apps that "
            + "have opened the site before",
        "take it out, and let the old one unregister itself; or give it a scope that web.path is not below");
}
