using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
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
        services.AddSingleton(provider => new PorticoService(settings, provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<IMeterFactory>(), provider.GetService<TimeProvider>() ?? TimeProvider.System));
        return services.AddHostedService(provider => provider.GetRequiredService<PorticoService>());
    }
}

/// <summary>Ties a proxy to a host's life. A host that wants its endpoints or session count asks for it by this type.</summary>
public sealed class PorticoService(ProxySettings settings, ILoggerFactory loggers, IMeterFactory meters, TimeProvider time) : IHostedService
{
    /// <summary>The running proxy; null before start and after stop.</summary>
    public PorticoProxy? Proxy { get; private set; }

    /// <inheritdoc/>
    /// <exception cref="ListenException">An address could not be bound: the host does not start.</exception>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        Proxy = PorticoProxy.Start(settings, loggers, meters, time);
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
}
