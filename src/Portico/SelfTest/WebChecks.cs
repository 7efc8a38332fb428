using System.Net;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using Portico.SelfTest.WebApp;

namespace Portico.SelfTest;

/// <summary>What an app must get of the WEB host by every carrier and with both forms of a secret, and what others see there.</summary>
internal static class WebChecks
{
    /// <summary>The checks of one proxy.</summary>
    /// <param name="place">What names begin with: <c>engine/backend</c>.</param>
    /// <param name="host">Its WEB host.</param>
    /// <param name="client">Knows the secret.</param>
    public static IEnumerable<Check> Of(string place, WebHostUnderTest host, SelfTestClient client)
    {
        foreach (var carrier in Enum.GetValues<WebCarrier>())
        {
            foreach (var isSecure in (bool[])[true, false])
            {
                var name = $"web-{carrier.Tag()}-{(isSecure ? "dd" : "plain")}";
                var manner = new ClientManner(name, isSecure ? Transport.Padded : Transport.Intermediate);
                yield return new Check($"{place}/{name}/res-pq", cancel => InSessionAsync(
                    host.Door(isSecure), carrier, way => ClientChecks.AskAsync(client, manner, Over(way, manner), cancel), cancel));
                yield return new Check($"{place}/{name}/echo", cancel => InSessionAsync(
                    host.Door(isSecure), carrier, way => ClientChecks.EchoAsync(Over(way, manner), cancel), cancel));
            }
        }

        yield return new Check($"{place}/stranger/web-site", cancel => SeeSiteAsync(host, cancel));

        Connect Over(AppStream way, ClientManner manner) => (dcId, _) => Task.FromResult(client.Over(way, manner, dcId));
    }

    private static async Task InSessionAsync(WebDoor door, WebCarrier carrier, Func<AppStream, Task> talk, CancellationToken cancel)
    {
        using var http = new AppHttp(door);
        var session = await AppSession.EnterAsync(http, cancel);
        using (var way = new AppStream(await AppCarrier.OpenAsync(carrier, session, AppStream.Id, cancel)))
            await talk(way);
        await session.EndAsync(cancel);
    }

    // Without a link, with one that is almost right, and where only sessions have anything to look for.
    private static async Task SeeSiteAsync(WebHostUnderTest host, CancellationToken cancel)
    {
        using var http = new AppHttp(host.Door(isSecure: true));
        var bridge = http.Door.BridgeUrl.PathAndQuery;
        var almost = bridge[..^2] + (bridge[^2] == 'A' ? 'B' : 'A') + bridge[^1];
        foreach (var target in (string[])["/", almost])
        {
            if (await http.ReadAsync(target, cancel) is (var status, var text) && (status != HttpStatusCode.OK || text != host.Page))
                throw new CheckFailedException($"a stranger is answered with {(int)status} and another page than the site's");
        }

        foreach (var target in (string[])["api/v1/session", "nothing"])
        {
            using var answer = await http.SendAsync(http.Request(HttpMethod.Post, http.Base + target, body: [1]), cancel);
            if (answer.StatusCode != HttpStatusCode.MethodNotAllowed)
                throw new CheckFailedException($"a stranger that sends something is answered with {(int)answer.StatusCode}");
        }
    }
}
