using System.Net;
using System.Net.Sockets;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Clients;
using Portico.TestKit.Wires;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Life;

/// <summary>The proxy as a service: what the manager hears, and what it may keep and pass on.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class ServiceManagerTests(ITestOutputHelper output)
{
    [Fact]
    public async Task It_hears_of_ready_reload_upgrade_and_stop_in_that_order()
    {
        using var place = new TemporaryDirectory();
        using var manager = new FakeServiceManager(place);
        await using var proxy = await UpgradableProxy.StartAsync(variables: manager.Variables());
        await manager.UntilAsync("READY=1");
        Assert.Contains(manager.Heard, message => message.Contains($"MAINPID={proxy.Process}", StringComparison.Ordinal));
        PorticoProcess.Signal(proxy.Process, Signals.HangUp);
        await manager.UntilAsync("RELOADING=1");
        await manager.UntilAsync("READY=1", 2);

        await proxy.UpgradeAsync();
        await manager.UntilAsync("READY=1", 3);
        await manager.UntilAsync($"MAINPID={proxy.Process}", 2); // by the old process, which alone may always say so, and by the new one
        await proxy.StoppedAsync(1);
        Assert.DoesNotContain(manager.Heard, message => message.Contains("STOPPING", StringComparison.Ordinal));
        PorticoProcess.Signal(proxy.Process, Signals.Terminate);
        await manager.UntilAsync("STOPPING=1");
        await proxy.StoppedAsync(2);
        var reloading = manager.Heard.Single(message => message.StartsWith("RELOADING=1", StringComparison.Ordinal));
        Assert.Matches(@"^RELOADING=1\nMONOTONIC_USEC=\d+$", reloading);
    }

    [Fact]
    public async Task The_watchdog_is_fed_by_loops_that_turn()
    {
        using var place = new TemporaryDirectory();
        using var manager = new FakeServiceManager(place);
        await using var proxy = await UpgradableProxy.StartAsync(variables: manager.Variables(TimeSpan.FromMilliseconds(300)));
        await manager.UntilAsync("WATCHDOG=1", 5);
        await using var client = await proxy.GreetAsync();
        await client.EchoAsync(10);
        await manager.UntilAsync("STATUS=Serving 1 clients");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_restart_with_sockets_that_are_kept_or_passed_on_refuses_nobody(bool arePassedOn) =>
        RestartAsync(arePassedOn, restarts: 3, perSecond: 100, mostMs: double.MaxValue);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait(Suite.Trait, Suite.Minutes)]
    public Task A_hundred_restarts_with_sockets_that_are_kept_or_passed_on_refuse_nobody(bool arePassedOn) =>
        RestartAsync(arePassedOn, restarts: 100, perSecond: 500, mostMs: 300);

    // The manager keeps what the proxy gave it, or has a socket of its own, of which it starts the proxy.
    private async Task RestartAsync(bool arePassedOn, int restarts, int perSecond, double mostMs)
    {
        using var place = new TemporaryDirectory();
        using var manager = new FakeServiceManager(place);
        using var ofManager = Listening(4096);
        var variables = manager.Variables(keeps: arePassedOn ? 0 : 128);
        var proxyIsThere = arePassedOn
            ? FakeServiceManager.Passing([(int)ofManager.Handle], command => UpgradableProxy.StartAsync(command, variables: variables))
            : UpgradableProxy.StartAsync(variables: variables);
        await using var proxy = await proxyIsThere;
        await manager.UntilAsync("READY=1");
        Assert.InRange(manager.Kept, arePassedOn ? 0 : 1, arePassedOn ? 0 : 64);
        PorticoProcess? last = null;
        try
        {
            await using (var load = new ConnectLoad(proxy, perSecond))
            {
                for (var restart = 1; restart <= restarts; restart++)
                {
                    await Task.Delay(300); // clients come meanwhile
                    await StopAsync(proxy, last);
                    last = arePassedOn
                        ? FakeServiceManager.Passing(
                            [(int)ofManager.Handle], command => PorticoProcess.Start(command, proxy.Directory.Path, [], variables))
                        : manager.Start(proxy.Directory.Path, variables);
                    await manager.UntilAsync("READY=1", restart + 1);
                }

                await Task.Delay(300);
                await load.EndAsync();
                output.WriteLine($"{load.Clients} clients, flight after {load.FlightMs(50):0.0} ms, "
                    + $"of 99 % within {load.FlightMs(99):0.0} ms, of all within {load.FlightMs(100):0.0} ms");
                Assert.Empty(load.Failures);
                Assert.Equal(0, load.ReplaysAnswered);
                Assert.InRange(load.FlightMs(99), 0, mostMs);
            }

            last!.Signal(Signals.Terminate);
            var (code, _, errors) = await last.EndAsync();
            Assert.Equal(0, code);
            Assert.DoesNotContain("did not stop in order", errors, StringComparison.Ordinal);
        }
        finally
        {
            if (last is not null) await last.DisposeAsync();
        }
    }

    private static async Task StopAsync(UpgradableProxy first, PorticoProcess? later)
    {
        if (later is null)
        {
            PorticoProcess.Signal(first.Process, Signals.Terminate);
            await first.EndedAsync();
            return;
        }

        later.Signal(Signals.Terminate);
        Assert.Equal(0, (await later.EndAsync()).Code);
        await later.DisposeAsync();
    }

    [Fact]
    public async Task A_socket_that_is_passed_on_serves_every_loop_and_one_that_is_not_named_is_closed()
    {
        using var place = new TemporaryDirectory();
        using var manager = new FakeServiceManager(place);
        using var named = Listening(8);
        using var other = Listening(8);
        var at = (IPEndPoint)named.LocalEndPoint!;
        place.Write("portico.json", $$"""
            { "listeners": [{ "address": "127.0.0.1", "port": {{at.Port}}, "secret": "00112233445566778899aabbccddeeff",
                "domain": "www.example.com" }], "loops": 2 }
            """);
        await using var process = FakeServiceManager.Passing(
            [(int)named.Handle, (int)other.Handle], command => PorticoProcess.Start(command, place.Path, [], manager.Variables()));
        await manager.UntilAsync("READY=1");
        var closed = (IPEndPoint)other.LocalEndPoint!;
        Assert.Contains($"{closed}", process.Said(), StringComparison.Ordinal);
        other.Dispose();
        await Assert.ThrowsAsync<SocketException>(() => Wire.ConnectAsync(closed));
        var secret = Portico.Protocol.Secrets.ProxySecret.Create(Convert.FromHexString("00112233445566778899aabbccddeeff"));
        for (var i = 0; i < 20; i++)
        {
            await using var client = await FakeClient.ConnectAsync(at, new ClientProfile { Secret = secret });
            await client.GreetAsync();
        }

        process.Signal(Signals.Terminate);
        Assert.Equal(0, (await process.EndAsync()).Code);
    }

    private static Socket Listening(int backlog)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen(backlog);
        return socket;
    }
}
