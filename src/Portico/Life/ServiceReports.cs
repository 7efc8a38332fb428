using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Portico.Core;
using Portico.Core.Control;
using Portico.Core.Net;

namespace Portico.Life;

/// <summary>
/// What the service manager hears of a running proxy: that it is ready, how it is, and that its loops turn. Of one process at a time: a
/// process that has handed over says nothing more.
/// </summary>
internal sealed partial class ServiceReports(ServiceManager? manager, ILogger log) : IAsyncDisposable
{
    // A status line may be as old as this.
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ending = new();
    private Task _reporting = Task.CompletedTask;
    private State _state;

    private enum State
    {
        Serves,
        Stops,
        IsOver,
    }

    /// <summary>The listening sockets outlive this process.</summary>
    public bool KeepsSockets { get; private set; }

    /// <summary>The proxy serves. From here on there are reports.</summary>
    /// <param name="proxy">What serves.</param>
    /// <param name="areSocketsKept">The manager has passed all listening sockets on, so it has them anyway.</param>
    public async Task ReadyAsync(PorticoProxy proxy, bool areSocketsKept)
    {
        KeepsSockets = areSocketsKept;
        if (manager is null) return;
        var sockets = areSocketsKept ? [] : await proxy.ListeningDescriptorsAsync();
        Tell(() => Keep(sockets), "READY=1", MainProcess(Environment.ProcessId), Status(proxy));
        _reporting = ReportAsync(manager, proxy);
    }

    /// <summary>A reload begins.</summary>
    public void Reloading() => Tell(() => manager?.TellReloading());

    /// <summary>It is over; there may be other listening sockets.</summary>
    public async Task ReloadedAsync(PorticoProxy proxy)
    {
        if (manager is null) return;
        var sockets = await proxy.ListeningDescriptorsAsync();
        Tell(() => Keep(sockets), "READY=1", Status(proxy));
    }

    /// <summary>Another process is the service from here on, and tells how it is.</summary>
    public void HandedOver(int process)
    {
        lock (_gate)
        {
            if (_state == State.IsOver) return;
            _state = State.IsOver;
            manager?.Tell(MainProcess(process));
        }
    }

    /// <summary>It stops.</summary>
    /// <param name="drain">For how long it may.</param>
    public void Stopping(TimeSpan drain)
    {
        // Beyond what the unit allows, where that is less.
        var most = (long)(drain + Usual).TotalMicroseconds;
        var extended = string.Create(CultureInfo.InvariantCulture, $"EXTEND_TIMEOUT_USEC={most}");
        Tell(() => _state = State.Stops, "STOPPING=1", "STATUS=Waiting for clients to end", extended);
    }

    /// <summary>No more reports.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _reporting;
        _ending.Dispose();
    }

    private void Tell(Action first, params ReadOnlySpan<string> states)
    {
        lock (_gate)
        {
            if (_state != State.Serves) return;
            first();
            if (!states.IsEmpty) manager?.Tell(states);
        }
    }

    // Some of them kept would be worse than none: clients wait at those whom nobody serves.
    private void Keep(ImmutableArray<int> sockets)
    {
        if (sockets.IsEmpty || manager is null) return;
        KeepsSockets = sockets.Length <= manager.MostKept;
        if (KeepsSockets) manager.Keep(sockets);
        else if (manager.MostKept > 0) Log.TooFewKept(log, sockets.Length, manager.MostKept);
    }

    // Twice in the time that the watchdog gives. A loop that does not turn is what it is for.
    private async Task ReportAsync(ServiceManager to, PorticoProxy proxy)
    {
        using var clock = new PeriodicTimer(to.Watchdog / 2 ?? Usual);
        try
        {
            while (await clock.WaitForNextTickAsync(_ending.Token))
            {
                try
                {
                    await proxy.Control.TurnAsync();
                }
                catch (ProxyBusyException)
                {
                    continue;
                }

                lock (_gate)
                {
                    if (_state == State.Serves) to.Tell("WATCHDOG=1", Status(proxy));
                    else if (_state == State.Stops) to.Tell("WATCHDOG=1");
                }
            }
        }
        catch (OperationCanceledException)
        {
            // It is over.
        }
    }

    private static string MainProcess(int process) => string.Create(CultureInfo.InvariantCulture, $"MAINPID={process}");

    private static string Status(PorticoProxy proxy) =>
        string.Create(CultureInfo.InvariantCulture, $"STATUS=Serving {proxy.Snapshot().Relaying} clients");

    private static partial class Log
    {
        [LoggerMessage(EventId = 9504, EventName = "TooFewKept", Level = LogLevel.Warning,
            Message = "There are {Sockets} listening sockets, and the service manager keeps {Most}: none is kept over a restart. "
                + "Raise FileDescriptorStoreMax=, and Environment=FDSTORE= with it where the unit has that")]
        public static partial void TooFewKept(ILogger logger, int sockets, int most);
    }
}
