using System.Collections.Immutable;
using System.Text;

namespace Portico.Core.Options;

/// <summary>
/// A listener with a WEB proxy beside other protocols: everybody who is no client of those is a visitor of the site, which is the cover.
/// </summary>
/// <param name="errors">What is wrong is added here.</param>
internal sealed class SharedPortParser(List<ConfigurationError> errors)
{
    // A process that takes over has one beside the one before it.
    private static readonly string SocketName = $"web-{Environment.ProcessId}.sock";

    /// <summary>Lets strangers come to the site.</summary>
    /// <param name="listeners">As parsed.</param>
    /// <param name="options">The cover as written.</param>
    /// <param name="cover">The cover as parsed.</param>
    /// <param name="dataDirectory">Absolute; the socket is there, for this user only.</param>
    /// <returns>Both, changed if there is such a listener.</returns>
    public (ImmutableArray<ListenerSettings> Listeners, CoverSettings Cover) Join(
        ImmutableArray<ListenerSettings> listeners, CoverOptions options, CoverSettings cover, string dataDirectory)
    {
        var shared = Enumerable.Range(0, listeners.Length)
            .Where(index => listeners[index] is { Web: not null, Protocols: not ClientProtocols.None }).ToList();
        if (shared.Count == 0) return (listeners, cover);

        foreach (var index in shared)
        {
            if (listeners[index].Web!.Certificate is null)
            {
                errors.Add(new($"listeners[{index}].web.certificate", "is missing: beside other protocols nobody in front can speak TLS; "
                    + "name the files of a certificate, or \"protocols\": [] for a listener of the WEB proxy alone"));
            }
        }

        foreach (var index in shared.Skip(1))
        {
            errors.Add(new($"listeners[{index}].web", $"listeners[{shared[0]}] has one beside other protocols already, and the cover is "
                + "one for all; \"protocols\": [] makes this a listener of the WEB proxy alone"));
        }

        if (options.Mode != "off")
        {
            errors.Add(new("cover.mode", $"the site of listeners[{shared[0]}].web is what strangers see; leave cover away, "
                + "and name another site in web.site or web.siteUpstream"));
        }

        var path = Path.Combine(dataDirectory, SocketName);
        if (Encoding.UTF8.GetByteCount(path) > CoverOptionsParser.LongestPath)
        {
            errors.Add(new("dataDirectory", $"is too long for a unix socket in it, which has at most {CoverOptionsParser.LongestPath} "
                + "bytes with its path; for example \"dataDirectory\": \"/var/lib/portico\""));
        }

        var listener = listeners[shared[0]];
        return (listeners.SetItem(shared[0], listener with { Web = listener.Web! with { Socket = path } }), cover with
        {
            Mode = CoverMode.Fixed,
            Target = CoverTarget.OfUnixPath(path),
            ProxyProtocol = 2,
            IsWebHost = true,
            // Apps of the WEB proxy are among those who come this way.
            MaxConnections = Math.Max(cover.MaxConnections, listener.MaxConnections),
        });
    }
}
