using System.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>A proxy in this process that has served a client, and what it held at that time.</summary>
internal sealed class Besieged : IAsyncDisposable
{
    private readonly int _sockets;

    private Besieged(ProxyUnderTest proxy, int sockets)
    {
        Proxy = proxy;
        _sockets = sockets;
    }

    public ProxyUnderTest Proxy { get; }

    /// <summary>Bytes of buffers that sessions have on loan, over all loops.</summary>
    public long Rented => Proxy.Proxy.Engine.Loops.Sum(loop =>
    {
        var asked = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() => asked.SetResult(loop.Buffers.Rented));
        return asked.Task.WaitAsync(Wire.Patience).GetAwaiter().GetResult();
    });

    /// <summary>Starts a proxy and serves one client with it.</summary>
    public static async Task<Besieged> StartAsync(EngineKind engine, Func<ProxySettings, ProxySettings>? change = null)
    {
        var proxy = ProxyUnderTest.Start(engine, change);
        await ServeAsync(proxy);
        await LetGoAsync(proxy);
        return new Besieged(proxy, DescriptorsOf.ThisProcess());
    }

    /// <summary>
    /// A client, any kind, is served as ever; then nothing is left of anybody.
    /// Only when every hostile peer of the test is gone or was closed.
    /// </summary>
    public async Task AssertUnharmedAsync()
    {
        Proxy.Telegram.Behaviour = DcBehaviour.Good;
        await ServeAsync(Proxy);
        await LetGoAsync(Proxy);
        Assert.Equal(0, Rented);
        var watch = Stopwatch.StartNew();
        while (DescriptorsOf.ThisProcess() > _sockets && watch.Elapsed < Wire.Patience)
            await Task.Yield();
        Assert.InRange(DescriptorsOf.ThisProcess(), 0, _sockets);
        Assert.Equal(Proxy.Metrics.Value("portico_connections_accepted_total"), Proxy.Metrics.Value("portico_connections_closed_total"));
    }

    public ValueTask DisposeAsync() => Proxy.DisposeAsync();

    private static async Task ServeAsync(ProxyUnderTest proxy)
    {
        var before = proxy.Metrics.Value("portico_connections_closed_total", ("reason", "client_closed"));
        foreach (var profile in new ClientProfile[] { new(), new() { Mode = ClientMode.Plain, Transport = Transport.Abridged } })
        {
            await using var client = await proxy.GreetAsync(profile);
            await client.EchoAsync(1000);
            await client.DownloadAsync(4, 65536);
            client.Wire.FinishSending();
            Assert.Equal(Received.Nothing(PeerEnd.Fin), await client.ReadToEndAsync());
        }
        await proxy.Metrics.UntilAsync("portico_connections_closed_total", before + 2, ("reason", "client_closed"));
    }

    // The stand-in for Telegram keeps its side of connections open until told; what remains then is the proxy's.
    private static async Task LetGoAsync(ProxyUnderTest proxy)
    {
        await proxy.UntilEmptyAsync();
        foreach (var connection in proxy.Telegram.Connections)
            await connection.DisposeAsync();
    }
}
