using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core;

/// <summary>The proxy inside another host.</summary>
public static class PorticoServiceCollectionExtensions
{
    /// <summary>Runs a proxy with the host: bound before the host reports started, drained when it stops.</summary>
    /// <param name="services">The host's services. Logging and metrics are taken from them.</param>
    /// <param name="settings">Checked settings; see <see cref="ProxySettings"/>.</param>
    public static IServiceCollection AddPortico(this IServiceCollection services, ProxySettings settings)
    {
        services.AddMetrics();
        services.AddSingleton(provider => new PorticoService(
            settings, provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<IMeterFactory>(),
            provider.GetService<TimeProvider>() ?? TimeProvider.System, provider.GetRequiredService<IHostApplicationLifetime>()));
        return services.AddHostedService(provider => provider.GetRequiredService<PorticoService>());
    }
}

/// <summary>Ties a proxy to a host's life. A host that wants its endpoints or session count asks for it by this type.</summary>
public sealed partial class PorticoService(
    ProxySettings settings, ILoggerFactory loggers, IMeterFactory meters, TimeProvider time, IHostApplicationLifetime host)
    : IHostedService
{
    /// <summary>The running proxy; null before start and after stop.</summary>
    public PorticoProxy? Proxy { get; private set; }

    /// <inheritdoc/>
    /// <exception cref="ListenException">An address could not be bound: the host does not start.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Proxy = PorticoProxy.Start(settings, loggers, meters, time);
        _ = EndHostWithAsync(Proxy);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Proxy is not { } proxy) return;
        Proxy = null;
        using var hurry = cancellationToken.Register(() => _ = proxy.StopAsync(TimeSpan.Zero));
        await proxy.StopAsync(settings.Timeouts.Drain).ConfigureAwait(false);
    }

    // A loop that died takes its sessions with it; a host that limps on would hide that (docs/adr/0006).
    private async Task EndHostWithAsync(PorticoProxy proxy)
    {
        await proxy.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (proxy.Completion.Exception is not { } fault) return;
        var log = loggers.CreateLogger<PorticoService>();
        Log.LoopDied(log, fault);
        host.StopApplication();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1201, EventName = "LoopDied", Level = LogLevel.Critical,
            Message = "The proxy cannot go on and ends its host; please report this")]
        public static partial void LoopDied(ILogger logger, Exception error);
    }
}
