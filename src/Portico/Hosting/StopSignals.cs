using System.Runtime.InteropServices;

namespace Portico.Hosting;

/// <summary>SIGTERM and SIGINT: the first asks for an orderly end, the second for an end at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _second = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;

    public StopSignals()
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
    }

    /// <summary>Completes with the first signal.</summary>
    public Task First => _first.Task;

    /// <summary>Completes with the second signal.</summary>
    public Task Second => _second.Task;

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
    }

    private void OnSignal(PosixSignalContext signal)
    {
        signal.Cancel = true; // otherwise the runtime ends the process at once
        if (!_first.TrySetResult()) _second.TrySetResult();
    }
}
