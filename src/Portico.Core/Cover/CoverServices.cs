using System.Net;
using Microsoft.Extensions.Logging;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;

namespace Portico.Core.Cover;

/// <summary>What all loops share of the cover.</summary>
internal sealed class CoverServices(
    CoverSettings settings, CoverDirectory directory, CoverBudget budget, CoverHealth health, LocalAddresses from)
{
    public CoverSettings Settings => settings;

    public CoverDirectory Directory => directory;

    public CoverBudget Budget => budget;

    public CoverHealth Health => health;

    /// <summary>What it is connected to from.</summary>
    public LocalAddresses From => from;

    /// <summary>Whether somebody who may still become a client of ours can be shown a site: only one that needs no name of them.</summary>
    public bool TakesUndecided => settings.Mode == CoverMode.Fixed;

    /// <summary>For a proxy with these services and settings.</summary>
    /// <param name="settings">Of the cover.</param>
    /// <param name="budget">Its places.</param>
    /// <param name="loggers">For its outages.</param>
    /// <param name="shortages">For connections that fail for want of something of ours.</param>
    /// <param name="own">Where it listens, as soon as it does.</param>
    /// <param name="resolve">The addresses of a name.</param>
    /// <param name="time">How old an answer is.</param>
    /// <param name="from">What it is connected to from.</param>
    public static CoverServices Create(
        CoverSettings settings, CoverBudget budget, ILoggerFactory loggers, Shortages shortages, OwnEndpoints own,
        Func<string, Task<IPAddress[]>> resolve, TimeProvider time, LocalAddresses from)
    {
        var health = new CoverHealth(settings, shortages, loggers.CreateLogger<CoverHealth>());
        return new(settings, new CoverDirectory(settings, own, resolve, time), budget, health, from);
    }
}
