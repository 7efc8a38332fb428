using System.Diagnostics;
using Portico.Core.Net;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Clients;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Hostile;

/// <summary>More connections than the process may have descriptors.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
[Collection(nameof(Siege))]
public sealed class DescriptorLimitTests(ITestOutputHelper output)
{
    private const int Free = 64;
    private const int Silent = 200;

    // A loop that spins takes a whole core; one that looks again every 100 ms takes next to nothing.
    private const double MostShareOfACore = 0.5;

    // Threads that the runtime starts meanwhile take some.
    private const int Slack = 8;

    // The proxy asks for its limit four times a second.
    private static readonly TimeSpan LimitIsNoticed = TimeSpan.FromSeconds(0.3);

    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(1);

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Without_descriptors_clients_inside_go_on_nobody_spins_and_later_ones_get_in_when_some_are_free(EngineKind engine)
    {
        await using var proxy = await ProxyProcess.StartAsync(engine);
        await proxy.ServeAsync();
        var most = await proxy.BaseDescriptorsAsync() + 4 + Free + DescriptorReserve.Accepting;
        await using var inside = await proxy.GreetAsync();
        await inside.EchoAsync(100);
        await using var plain = await proxy.GreetAsync(new ClientProfile { Mode = ClientMode.Secure });
        await plain.EchoAsync(100);
        await proxy.LimitDescriptorsAsync(most);
        await Task.Delay(LimitIsNoticed);
        var silent = await Task.WhenAll(Enumerable.Range(0, Silent).Select(_ => Wire.ConnectAsync(proxy.Endpoint)));
        await proxy.UntilDescriptorsAsync(count => count >= most - DescriptorReserve.Accepting);
        var late = proxy.GreetAsync();
        var (time, watch) = (proxy.ProcessorTime, Stopwatch.StartNew());
        await Task.Delay(Watched);  // a rate takes time to measure
        var share = (proxy.ProcessorTime - time) / watch.Elapsed;
        output.WriteLine($"{share:0.000} of a core while {Silent - Free} connections waited");
        Assert.InRange(share, 0, MostShareOfACore);
        Assert.False(late.IsCompleted);
        await inside.DownloadAsync(16, 65536);
        await plain.EchoAsync(10_000);

        foreach (var wire in silent)
            await wire.DisposeAsync();
        await using (var client = await late)
            await client.EchoAsync(1000);
        await inside.EchoAsync(100);
        await proxy.UntilDescriptorsAsync(count => count <= most - DescriptorReserve.Accepting - Free + Slack);
        await proxy.ServeAsync();

        var (code, _, errors) = await proxy.StopAsync();
        Assert.Equal(0, code);
        // once a minute, however often it happens
        Assert.Single(errors.Split('\n'), line => line.Contains("accepting paused, few file descriptors left", StringComparison.Ordinal));
        Assert.DoesNotContain("fail:", errors, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Clients_whose_data_centre_gets_no_descriptor_are_closed_with_FIN_and_the_others_served(EngineKind engine)
    {
        const int clients = 56;
        await using var proxy = await ProxyProcess.StartAsync(engine);
        await proxy.ServeAsync();
        await proxy.LimitDescriptorsAsync(await proxy.BaseDescriptorsAsync() + clients + Slack + DescriptorReserve.Accepting);
        await Task.Delay(LimitIsNoticed);

        var greeted = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => proxy.GreetAsync()));
        var ends = await Task.WhenAll(greeted.Select(async client =>
        {
            await client.SendAsync(TestFrame.Create(TestCommand.Echo, new byte[100]));
            return (await client.Wire.ReadSomeAsync(new byte[1])).End;
        }));
        Assert.All(ends, end => Assert.True(end is PeerEnd.None or PeerEnd.Fin, $"{end}"));
        Assert.Contains(PeerEnd.None, ends);
        var refused = ends.Count(end => end == PeerEnd.Fin);
        Assert.InRange(refused, 1, clients);
        foreach (var client in greeted)
            await client.DisposeAsync();
        await proxy.ServeAsync();

        var (code, _, errors) = await proxy.StopAsync();
        Assert.Equal(0, code);
        Assert.Single(errors.Split('\n'), line => line.Contains("for want of file descriptors", StringComparison.Ordinal));
        Assert.DoesNotContain("of Telegram cannot be reached", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("dc_connect_failed", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", errors, StringComparison.Ordinal);
    }
}
