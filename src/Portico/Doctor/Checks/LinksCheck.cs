using System.Net;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Links;

namespace Portico.Doctor.Checks;

/// <summary>Do links show a server that can be reached from everywhere?</summary>
/// <param name="settings">Of the proxy.</param>
/// <param name="own">What this machine is seen as.</param>
/// <param name="addressOf">What links show where the operator said nothing.</param>
internal sealed class LinksCheck(ProxySettings settings, OwnAddresses own, Func<IPAddress, IPAddress> addressOf) : ICheck
{
    public string Name => "links";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        var findings = new List<Finding>();
        foreach (var listener in settings.Listeners)
        {
            if (listener is { Protocols: ClientProtocols.None, Web: { } web })
            {
                findings.Add(Diagnoses.LinksPublic.Found($"{listener.Name}: links show {web.Address}"));
                continue;
            }

            var host = listener.PublicHost ?? $"{addressOf(listener.Address.Address)}";
            if (!IPAddress.TryParse(host, out var shown) || AddressReach.Of(shown) == Reach.World)
            {
                findings.Add(Diagnoses.LinksPublic.Found($"{listener.Name}: links show {host}"));
                continue;
            }

            var (seen, _) = await own.SeenAsync(stop);
            var outside = seen ?? own.Said.FirstOrDefault();
            if (outside is not null && PublicLinks.Needs(listener, shown))
            {
                findings.Add(Diagnoses.LinksFound.Found(
                    $"{listener.Name}: links show {shown}, which only this network reaches; a start prints them again with {outside}",
                    $"set \"publicHost\": \"{outside}\" in the listener, so that `portico link` shows it too"));
                continue;
            }

            var example = outside is null ? "" : $", for example \"{outside}\"";
            findings.Add(Diagnoses.LinksPrivate.Found(
                $"{listener.Name}: links show {shown}, which nobody elsewhere can reach",
                $"set publicHost of the listener to the name or address that clients connect to{example}"));
        }

        return findings;
    }
}
