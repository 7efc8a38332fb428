using System.Net;
using System.Net.Sockets;
using Portico.Core.Background;
using Portico.Core.Options;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Portico.SelfTest;
using Portico.SelfTest.WebApp;

namespace Portico.Doctor.Checks;

/// <summary>
/// Does an app with a link get through, by the public name and whatever stands in front of the WEB host? Asked as such an app asks, with a
/// session that is ended again.
/// </summary>
/// <param name="settings">Of the proxy.</param>
/// <param name="holder">The proxy that runs with this data directory; null = none.</param>
/// <param name="door">How hosts are found.</param>
/// <param name="table">Who is connected.</param>
internal sealed class DoorCheck(ProxySettings settings, DataDirectoryHolder? holder, PublicDoor door, TcpTable table) : ICheck
{
    private const int MostHosts = 8;

    public string Name => "door";

    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop)
    {
        var listeners = settings.Listeners.Where(listener => listener.Web is not null).Take(MostHosts).ToList();
        var findings = await Task.WhenAll(listeners.Select(listener => LookAsync(listener, listener.Web!, stop)));
        return listeners.Count > 0
            ? [.. findings.SelectMany(some => some)]
            : [Diagnoses.DoorUnused.Found("no listener has a WEB proxy")];
    }

    private async Task<List<Finding>> LookAsync(ListenerSettings listener, WebSettings web, CancellationToken stop)
    {
        var findings = new List<Finding>();
        if (IsBehind(web) && web.Trusted.IsEmpty && !IPAddress.IsLoopback(listener.Address.Address))
        {
            findings.Add(Diagnoses.DoorOpen.Found(
                $"{listener.Name}: plain HTTP on {listener.Address}, for everybody who can reach it, and nobody is trusted to say who "
                    + "the client is",
                "set address of the listener to one that only the server in front reaches, for example \"127.0.0.1\", "
                    + "and web.trusted to its network"));
        }

        var host = web.Address.Host;
        try
        {
            findings.AddRange(await AskAsync(listener, web, host, stop));
        }
        catch (CheckFailedException problem)
        {
            findings.Add(Broken($"{host}: {problem.Message}"));
        }
        catch (SocketException problem)
        {
            findings.Add(Broken($"{host}: a connection ends ({problem.SocketErrorCode})"));
        }

        return findings;
    }

    private static Finding Broken(string text) =>
        Diagnoses.DoorBroken.Found(text, "look at what answers on port 443 of that name, and at the proxy's log");

    // Without a certificate of ours somebody else has to speak TLS.
    private static bool IsBehind(WebSettings web) => web.Certificate is null && web.Socket is null;

    private async Task<IReadOnlyList<Finding>> AskAsync(ListenerSettings listener, WebSettings web, string host, CancellationToken stop)
    {
        if (holder is null)
            return [Diagnoses.DoorUnseen.Found($"{host} was not asked: no Portico runs with this data directory")];
        if (!door.MayAsk(host) || listener.Credentials.IsEmpty)
            return [Diagnoses.Offline.Found($"{host} was not asked")];
        var (socket, contact) = await door.DialAsync(host, stop);
        socket?.Dispose();
        if (socket is null)
        {
            return
            [
                Diagnoses.DoorClosed.Found(
                    $"{host} takes no connection on port 443 from here ({(contact == Contact.Silent ? "nothing comes" : "refused")})",
                    "let port 443 lead here, which is the only one that WEB links can mean; behind NAT this machine itself may be the only "
                        + "one that does not get through"),
            ];
        }

        var kind = web.TakesSecure ? SecretKind.Secure : SecretKind.Simple;
        using var http = new AppHttp(door.Of(new Uri(Capability.BridgeUrl(web.Address, kind, listener.Credentials[0].Secret))));
        var (status, html) = await http.ReadAsync(http.Door.BridgeUrl.PathAndQuery, stop);
        if (AppPage.Find(html) is not { } page)
        {
            return
            [
                Diagnoses.DoorOther.Found(
                    $"{host}: a link of ours is answered with {(int)status} and not with the bridge page: the request does not come here, "
                        + "or not as it was sent",
                    "let the server in front pass on the whole host with Host, path and query unchanged (docs/web-proxy.md has a sample); "
                        + "see whether that name leads to this machine"),
            ];
        }

        if (await AppSession.TryCreateAsync(http, page, forwardedFor: null, stop) is { } session)
            return await InSessionAsync(http, session, listener, web, stop);
        return
        [
            Diagnoses.DoorForwarded.Found(
                $"{host}: the bridge page is shown, and no session can be made of it: the server in front takes a header away, or its "
                    + "X-Forwarded-For is not one address (the log says WebForwardedForUnclear then)",
                "nginx: `proxy_set_header X-Forwarded-For $remote_addr`; leave Authorization as it is"),
        ];
    }

    private async Task<IReadOnlyList<Finding>> InSessionAsync(
        AppHttp http, AppSession session, ListenerSettings listener, WebSettings web, CancellationToken stop)
    {
        // The kernel knows who is connected to the plain port while a request of ours is under way.
        var peers = new HashSet<IPAddress>();
        var trials = new DoorTrials(http, session, web, door.Patience, () => peers.UnionWith(PeersOf(listener)));
        try
        {
            List<Finding?> findings = [await trials.OpenSocketAsync(stop)];
            if (IsBehind(web))
                findings.AddRange([await trials.ForwardAsync(stop), await trials.CollectAsync(stop)]);
            if (web.Carriers.Contains(WebCarrier.Https))
                findings.Add(await trials.BufferAsync(stop));
            if (IsBehind(web))
                findings.AddRange([await trials.WaitAsync(stop), JudgePeers(listener, web, peers)]);
            var found = findings.OfType<Finding>().ToList();
            if (found.Count > 0) return found;
            var waited = trials.Waited is { } time
                ? FormattableString.Invariant($"; a request for frames could wait {time.TotalSeconds:0} s")
                : "";
            return [Diagnoses.DoorGood.Found($"{web.Address.Host}: an app with a link gets through{waited}")];
        }
        finally
        {
            await session.EndAsync(stop);
        }
    }

    private IEnumerable<IPAddress> PeersOf(ListenerSettings listener) => table.Entries()
        .Where(entry => entry.IsEstablished && entry.Local.Port == listener.Address.Port).Select(entry => entry.Remote.Address);

    private static Finding? JudgePeers(ListenerSettings listener, WebSettings web, HashSet<IPAddress> peers)
    {
        var strange = peers.Where(address => !web.Trusted.Any(network => network.Contains(address))).Take(3).ToList();
        if (strange.Count == 0) return null;
        var bits = strange[0].AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        return Diagnoses.DoorUntrusted.Found(
            $"{listener.Name}: connections come from {string.Join(", ", strange)}, which web.trusted does not name: to limits, rules and "
                + "logs every app seems to be there",
            $"add the network of the server in front to web.trusted, for example \"{strange[0]}/{bits}\"; if it is not that server, close "
                + "the port to it");
    }
}
