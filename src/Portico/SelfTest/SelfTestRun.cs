using Portico.Core.Net;
using Portico.Web;

namespace Portico.SelfTest;

/// <summary>
/// <c>portico selftest</c>: does this build do its work on this machine? A stand-in for Telegram, this proxy in front of it and clients of
/// every kind, all in this process and on loopback. Needs no configuration and no network.
/// </summary>
internal static class SelfTestRun
{
    /// <summary>Runs every check and prints how it went.</summary>
    /// <param name="output">Where the report goes.</param>
    /// <param name="json">One JSON object instead of a table.</param>
    /// <param name="options">The defaults, except in tests.</param>
    /// <param name="cancel">Ends the run early; what is not done counts as failed.</param>
    /// <returns>The exit code: 0 if all checks passed, else 1.</returns>
    public static async Task<int> RunAsync(TextWriter output, bool json, SelfTestOptions options, CancellationToken cancel)
    {
        var results = await ResultsAsync(options, cancel);
        if (json) CheckReport.WriteJson(output, results);
        else CheckReport.WriteTable(output, results);
        return results.All(result => result.Ok) ? 0 : 1;
    }

    private static async Task<IReadOnlyList<CheckResult>> ResultsAsync(SelfTestOptions options, CancellationToken cancel)
    {
        await using var telegram = StandInTelegram.Start(options.Fault);
        var proxies = new List<ProxyUnderTest>();
        var results = new List<CheckResult>();
        var waves = new List<List<Check>> { new() };
        try
        {
            foreach (var engine in Engines())
            {
                foreach (var backend in BackendUnderTest.All)
                {
                    var place = $"{Name(engine)}/{backend.Name}";
                    if (await TryStartAsync(place, () => ProxyUnderTest.StartAsync(engine, backend, telegram), results) is not { } proxy)
                        continue;
                    proxies.Add(proxy);
                    if (backend.IsMiddle) await telegram.UntilLinkedAsync(options.Deadline, cancel);
                    var client = new SelfTestClient(proxy.Secret, SelfTestClient.AnyDomain, backend.AdTag);
                    waves[0].AddRange(ClientChecks.Of(place, proxy.Endpoint, client));
                    waves.Add([.. WebChecks.Of(place, proxy.Web, client)]);
                    waves[0].AddRange(StrangerChecks.Of(place, proxy.Endpoint));
                }
            }

            // Side by side: a proxy serves many at once, and one that hangs costs the run one deadline, not one per check. TLS for those of
            // apps keeps the processor busy for a while: they come when the others are done, one proxy's after the other's.
            foreach (var wave in waves)
                results.AddRange(await Task.WhenAll(wave.Select(check => check.ResultAsync(options.Deadline, cancel))));
            return results;
        }
        finally
        {
            foreach (var proxy in proxies) await proxy.DisposeAsync();
        }
    }

    private static async Task<ProxyUnderTest?> TryStartAsync(
        string place, Func<Task<ProxyUnderTest>> start, List<CheckResult> results)
    {
        try
        {
            return await start();
        }
        catch (Exception failed) when (failed is ListenException or WebHostException)
        {
            results.Add(new CheckResult($"{place}/start", 0, failed.Message));
            return null;
        }
    }

    private static IEnumerable<EngineKind> Engines() =>
        OperatingSystem.IsLinux() ? [EngineKind.Epoll, EngineKind.Sockets] : [EngineKind.Sockets];

    private static string Name(EngineKind engine) => engine == EngineKind.Epoll ? "epoll" : "sockets";
}
