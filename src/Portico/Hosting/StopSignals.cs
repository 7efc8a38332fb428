using System.Runtime.InteropServices;

using Microsoft.Extensions.Logging;

namespace Portico.Hosting;

/// <summary>
/// SIGTERM and SIGINT: the first asks for an orderly end, the second for an end at once. SIGHUP asks for a reload, SIGUSR2 for an upgrade.
/// SIGUSR1 would end a process that does not ask for it, together with all its sessions: it is noted and nothing else.
/// </summary>
internal sealed partial class StopSignals : IDisposable
{
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration[] _registrations;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private Action? _upgrade;
    private bool _hasRun;
    private bool _isUpgradeWanted;

    public StopSignals(ILogger<StopSignals> log)
    {
        _log = log;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnStop),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnStop),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnHangUp),
            .. UserSignals.Select(signal => PosixSignalRegistration.Create(signal.Number, context => OnUserSignal(context, signal.Name))),
        ];
    }

    /// <summary>Completes with the first signal.</summary>
    public Task First => _first.Task;

    /// <summary>What SIGHUP asks for; null while there is nothing that could be reloaded. Called on a thread of the pool.</summary>
    public Action? HangUp { get; set; }

    /// <summary>
    /// What SIGUSR2 asks for; null while it cannot be done. Called on a thread of the pool; a signal that came before the proxy ran is
    /// answered when it is set for the first time.
    /// </summary>
    public Action? Upgrade
    {
        get => _upgrade;
        set
        {
            bool isWanted;
            lock (_gate)
            {
                isWanted = value is not null && _isUpgradeWanted;
                (_upgrade, _hasRun, _isUpgradeWanted) = (value, _hasRun || value is not null, false);
            }

            if (isWanted) value!();
        }
    }

    /// <summary>Completes with the second signal.</summary>
    public Task Second => _second.Task;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    private const string UpgradeName = "SIGUSR2";

    // The runtime has no names for these two and takes the numbers of the system.
    private static (PosixSignal Number, string Name)[] UserSignals =>
        OperatingSystem.IsLinux() ? [((PosixSignal)10, "SIGUSR1"), ((PosixSignal)12, UpgradeName)]
        : OperatingSystem.IsMacOS() ? [((PosixSignal)30, "SIGUSR1"), ((PosixSignal)31, UpgradeName)]
        : [];

    private void OnHangUp(PosixSignalContext signal)
    {
        signal.Cancel = true;
        if (HangUp is { } reload) reload();
        else Log.HangUp(_log);
    }

    private void OnUserSignal(PosixSignalContext signal, string name)
    {
        signal.Cancel = true;
        if (name == UpgradeName) OnUpgrade();
        else Log.Ignored(_log, name);
    }

    private void OnUpgrade()
    {
        Action? upgrade;
        bool isEarly;
        lock (_gate)
        {
            upgrade = _upgrade;
            isEarly = _isUpgradeWanted = !_hasRun;
        }

        if (upgrade is not null) upgrade();
        else if (isEarly) Log.UpgradeLater(_log);
        else Log.NoUpgrade(_log);
    }

    private void OnStop(PosixSignalContext signal)
    {
        signal.Cancel = true; // otherwise the runtime ends the process at once
        if (!_first.TrySetResult()) _second.TrySetResult();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 9101, EventName = "HangUp", Level = LogLevel.Information,
            Message = "SIGHUP changes nothing now: the proxy is not running yet, or has no configuration file")]
        public static partial void HangUp(ILogger logger);

        [LoggerMessage(EventId = 9102, EventName = "SignalIgnored", Level = LogLevel.Information,
            Message = "{Signal} means nothing to this version and changes nothing")]
        public static partial void Ignored(ILogger logger, string signal);

        [LoggerMessage(EventId = 9103, EventName = "NoUpgrade", Level = LogLevel.Information,
            Message = "SIGUSR2 changes nothing now: the proxy is stopping")]
        public static partial void NoUpgrade(ILogger logger);

        [LoggerMessage(EventId = 9104, EventName = "UpgradeLater", Level = LogLevel.Information,
            Message = "SIGUSR2 came before the proxy runs; the upgrade begins when it does")]
        public static partial void UpgradeLater(ILogger logger);
    }
}
