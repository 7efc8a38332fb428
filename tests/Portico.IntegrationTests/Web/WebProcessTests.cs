using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using Portico.IntegrationTests.Commands;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Clients;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Web;

/// <summary>The executable with a WEB proxy: how it comes again after it was killed, and what it says of those who use it.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class WebProcessTests(ITestOutputHelper output)
{
    // Everything that shows how it goes. What shows a user's links has the secret, and is for that.
    private static readonly ImmutableArray<string> Views =
    [
        "metrics", "api/status", "api/config", "api/sessions", "api/users", "api/usage", "api/history", "api/overview", "api/policy",
    ];

    private static readonly TimeSpan BackAgain = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Killed_and_started_again_it_relays_within_five_seconds(bool isSocket)
    {
        await using var proxy = await WebProcess.StartAsync(isTls: true);
        await using var tunnel = proxy.Tunnel(isSocket);
        await using (var first = await ConnectAsync())
        {
            await first.EchoAsync(100);
            proxy.Signal(Signals.Kill);
            Assert.NotEqual(PeerEnd.None, (await first.ReadToEndAsync()).End);
        }

        await proxy.EndAsync();
        var began = Stopwatch.GetTimestamp();
        await proxy.StartAgainAsync();
        await using var second = await ConnectAsync();
        await second.EchoAsync(100);

        var took = Stopwatch.GetElapsedTime(began);
        output.WriteLine($"relays {took.TotalMilliseconds:0} ms after its start");
        Assert.InRange(took, TimeSpan.Zero, BackAgain);

        Task<FakeClient> ConnectAsync() =>
            FakeClient.ConnectAsync(tunnel.Endpoint, new ClientProfile { Mode = ClientMode.Secure, Secret = proxy.Secret });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task At_level_Trace_and_to_its_operator_it_says_nothing_of_what_it_is_shown(bool isTls)
    {
        const string Marked = "marked-by-the-test";
        await using var proxy = await WebProcess.StartAsync(isTls, new() { ["PORTICO_LOG_LEVEL"] = "trace" });
        await proxy.UntilAdministeredAsync();
        using var watcher = proxy.Operator();
        var shown = new StringBuilder();
        var credentials = new List<string> { proxy.BridgeUrl.Split('=')[1] };
        foreach (var kind in Enum.GetValues<WebCarrier>())
        {
            using var app = proxy.Client();
            await app.EnterAsync();
            credentials.AddRange([app.Bootstrap, app.SessionToken]);
            using var carrier = PagelessCarrier.Of(kind, app);
            await carrier.SendAsync(1, AppFrame.Open(1), AppFrame.Data(1, proxy.Download()));
            await carrier.ReadAsync(1, 100_000);
            await LookAsync(); // gauges and sessions tell only what there is now
            // With everything where it does not belong.
            using var odd = app.Request(HttpMethod.Get, $"/{app.SessionToken}?bridge={credentials[0]}&{Marked}", app.SessionToken);
            odd.Headers.Add("X-Forwarded-For", $"{Marked}, {Marked}");
            odd.Headers.Add("Referer", proxy.BridgeUrl);
            (await app.SendAsync(odd)).Dispose();
            if (kind is WebCarrier.Https or WebCarrier.HttpsLanes)
                (await app.PostAsync(9, Encoding.ASCII.GetBytes(Marked), kind == WebCarrier.Https ? null : 1)).Dispose();
            (await app.DeleteAsync()).Dispose();
        }

        await LookAsync();
        proxy.Signal(Signals.Terminate);
        var (code, said, errors) = await proxy.EndAsync();

        Assert.Equal(0, code);
        Assert.Contains("trce: ", errors, StringComparison.Ordinal); // it did log at that level
        Assert.Contains("web_deleted", errors, StringComparison.Ordinal);
        Assert.Matches("portico_web_sessions{[^}]*carrier=\"https\"[^}]*} 1", shown.ToString()); // it did look
        Assert.Empty(SecretSearch.Find(Encoding.UTF8.GetBytes(said + errors + shown), proxy.Secret.Key));
        var plain = Uri.UnescapeDataString(said + errors + shown);
        foreach (var word in credentials.Concat([Marked, "bridge=", "tproxy-"]))
            Assert.DoesNotContain(word, plain, StringComparison.OrdinalIgnoreCase);

        async Task LookAsync()
        {
            foreach (var view in Views) shown.Append(await watcher.GetStringAsync(view));
        }
    }
}
