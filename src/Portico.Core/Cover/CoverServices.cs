using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Cover;

/// <summary>What all loops share of the cover.</summary>
internal sealed class CoverServices(CoverSettings settings, CoverDirectory directory, CoverBudget budget, CoverHealth health)
{
    public CoverSettings Settings => settings;

    public CoverDirectory Directory => directory;

    public CoverBudget Budget => budget;

    public CoverHealth Health => health;

    /// <summary>Whether somebody who may still become a client of ours can be shown a site: only one that needs no name of them.</summary>
    public bool TakesUndecided => settings.Mode == CoverMode.Fixed;

    /// <summary>For a proxy with these services and settings.</summary>
    /// <param name="settings">Of the proxy.</param>
    /// <param name="loggers">For its outages.</param>
    /// <param name="shortages">For connections that fail for want of something of ours.</param>
    /// <param name="own">Where it listens, as soon as it does.</param>
    /// <param name="resolve">The addresses of a name.</param>
    /// <param name="time">How old an answer is.</param>
    public static CoverServices Create(
        ProxySettings settings, ILoggerFactory loggers, Shortages shortages, OwnEndpoints own, Func<string, Task<IPAddress[]>> resolve,
        TimeProvider time)
    {
        var most = CoverBudget.MostFor(
            settings.Cover.MaxConnections, ProcessLimits.Sessions(),
            settings.Listeners.Sum(listener => (long)listener.MaxConnections));
        var health = new CoverHealth(settings.Cover, shortages, loggers.CreateLogger<CoverHealth>());
        return new(settings.Cover, new CoverDirectory(settings, own, resolve, time), new CoverBudget(most), health);
    }
}
