using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Portico.Core;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.TestKit.Clients;
using Portico.TestKit.Proxies;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hosting;

/// <summary>The proxy inside another program, as its documentation shows it.</summary>
public sealed class HostedProxyTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_host_runs_the_proxy_while_it_runs(EngineKind engine)
    {
        await using var elsewhere = ProxyUnderTest.Start(engine); // for its fake Telegram and its settings
        using var host = NewHost(elsewhere.Proxy.Settings);
        await host.StartAsync();
        var endpoint = host.Services.GetRequiredService<PorticoService>().Proxy!.Endpoints[0];
        await using (var client = await FakeClient.ConnectAsync(endpoint, new ClientProfile { Secret = elsewhere.Secret }))
        {
            await client.GreetAsync();
            await client.EchoAsync(1000);
        }

        await host.StopAsync();
        Assert.Null(host.Services.GetRequiredService<PorticoService>().Proxy);
        await Assert.ThrowsAnyAsync<Exception>(() => Wire.ConnectAsync(endpoint));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_loop_that_dies_ends_the_host(EngineKind engine)
    {
        await using var elsewhere = ProxyUnderTest.Start(engine);
        using var host = NewHost(elsewhere.Proxy.Settings);
        await host.StartAsync();
        var proxy = host.Services.GetRequiredService<PorticoService>().Proxy!;
        var stopping = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(stopping.SetResult);
        proxy.Engine.Loops[1].Post(() => throw new InvalidOperationException("killed by the test"));
        await stopping.Task.WaitAsync(Wire.Patience);
        await host.StopAsync().WaitAsync(Wire.Patience);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task A_loop_that_dies_faults_the_proxy_and_does_not_hold_up_its_stop(EngineKind engine)
    {
        await using var test = ProxyUnderTest.Start(engine);
        await using var client = await test.GreetAsync();
        test.Proxy.Engine.Loops[0].Post(() => throw new InvalidOperationException("killed by the test"));
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => test.Proxy.Completion.WaitAsync(Wire.Patience));
        Assert.Equal("killed by the test", fault.Message);
        await test.Proxy.StopAsync(TimeSpan.FromMinutes(1)).WaitAsync(Wire.Patience);
    }

    private static IHost NewHost(ProxySettings settings)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Services.AddPortico(settings with { DataDirectory = Path.Combine(settings.DataDirectory, "hosted") });
        return builder.Build();
    }
}
