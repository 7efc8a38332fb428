using System.Globalization;
using Portico.Core;
using Portico.Core.Control;
using Portico.Core.Net;

namespace Portico.Life;

/// <summary>What the service manager hears of a running proxy: that it is ready, how it is, and that its loops turn.</summary>
internal sealed class ServiceReports(ServiceManager? manager) : IAsyncDisposable
{
    // A status line may be as old as this.
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _ending = new();
    private Task _reporting = Task.CompletedTask;

    /// <summary>The listening sockets outlive this process.</summary>
    public bool KeepsSockets => manager is { KeepsSockets: true };

    /// <summary>The proxy serves. From here on there are reports.</summary>
    public async Task ReadyAsync(PorticoProxy proxy)
    {
        if (manager is null) return;
        await KeepSocketsAsync(proxy);
        manager.Tell("READY=1", MainProcess(Environment.ProcessId), Status(proxy));
        _reporting = ReportAsync(manager, proxy);
    }

    /// <summary>A reload begins.</summary>
    public void Reloading() => manager?.TellReloading();

    /// <summary>It is over; there may be other listening sockets.</summary>
    public async Task ReloadedAsync(PorticoProxy proxy)
    {
        if (manager is null) return;
        await KeepSocketsAsync(proxy);
        manager.Tell("READY=1", Status(proxy));
    }

    /// <summary>Another process is the service from here on, and tells how it is.</summary>
    public void HandedOver(int process) => manager?.Tell(MainProcess(process));

    /// <summary>It stops.</summary>
    /// <param name="drain">For how long it may.</param>
    public void Stopping(TimeSpan drain)
    {
        // Beyond what the unit allows, where that is less.
        var most = (long)(drain + Usual).TotalMicroseconds;
        var extended = string.Create(CultureInfo.InvariantCulture, $"EXTEND_TIMEOUT_USEC={most}");
        manager?.Tell("STOPPING=1", "STATUS=Waiting for clients to end", extended);
    }

    /// <summary>No more reports.</summary>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _reporting;
        _ending.Dispose();
    }

    private async Task KeepSocketsAsync(PorticoProxy proxy)
    {
        if (KeepsSockets) manager!.Keep(await proxy.ListeningDescriptorsAsync());
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

                to.Tell("WATCHDOG=1", Status(proxy));
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
}
