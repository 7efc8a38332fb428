using System.Collections.Immutable;
using System.Net;

namespace Portico.Core.Net;

/// <summary>Makes loops and listening sockets of one kind (docs/adr/0001).</summary>
internal abstract class Engine
{
    /// <summary>The loops, running.</summary>
    public abstract IReadOnlyList<EventLoop> Loops { get; }

    /// <summary>Faults when a loop died, which ends the process; completes after <see cref="StopAsync"/>.</summary>
    public abstract Task Completion { get; }

    /// <summary>
    /// As many loops as serve best: a core is left to the kernel's half of the work, to the cover and to the rest of the machine.
    /// On two cores one loop pays 19 us for a small message and two pay 23, with worse times to answer (docs/performance.md).
    /// </summary>
    public static int LoopsFor(int cores) => Math.Max(1, cores - 1);

    /// <summary>Starts <paramref name="loops"/> loops of the kind asked for.</summary>
    public static Engine Create(EngineKind kind, int loops, TimeProvider time) => kind switch
    {
        EngineKind.Auto or EngineKind.Epoll when OperatingSystem.IsLinux() => new Epoll.EpollEngine(loops, time),
        EngineKind.Epoll => throw new ListenException("engine: epoll exists on Linux only; use \"auto\" or \"sockets\""),
        _ => new Sockets.SocketsEngine(loops, time),
    };

    /// <summary>Whether another process may have its listening sockets.</summary>
    public virtual bool CanHandOver => false;

    /// <summary>Listens on <paramref name="address"/> with every loop.</summary>
    /// <param name="address">As the settings have it.</param>
    /// <param name="acceptor">Gets what comes.</param>
    /// <param name="inherited">Sockets of an address that is among these are taken from here; null = there are none.</param>
    /// <returns>The address with its real port.</returns>
    /// <exception cref="ListenException">The address cannot be had; the message is for the operator.</exception>
    public abstract IPEndPoint Listen(IPEndPoint address, IAcceptor acceptor, InheritedSockets? inherited = null);

    /// <summary>
    /// Takes what is queued on the listening sockets, where the system lets us (not
    /// with System.Net.Sockets), then closes them. Completes when every loop has.
    /// </summary>
    public abstract Task StopListeningAsync();

    /// <summary>Likewise for the listening sockets of one acceptor; the others go on.</summary>
    public abstract Task StopListeningAsync(IAcceptor acceptor);

    /// <summary>Closes the listening sockets with what is queued on them: another process has them too.</summary>
    public virtual Task LeaveListeningAsync() => StopListeningAsync();

    /// <summary>
    /// Accepts nothing until <see cref="ResumeListeningAsync"/>; what comes is queued. Only with <see cref="CanHandOver"/>.
    /// </summary>
    public virtual Task SuspendListeningAsync() => throw new NotSupportedException();

    /// <summary>Accepts again.</summary>
    public virtual Task ResumeListeningAsync() => throw new NotSupportedException();

    /// <summary>Every listening socket. They stay the engine's.</summary>
    public virtual Task<ImmutableArray<int>> ListeningDescriptorsAsync() => Task.FromResult<ImmutableArray<int>>([]);

    /// <summary>Ends the loops. Channels still open are closed by the system, so owners close theirs first.</summary>
    public abstract Task StopAsync();

    /// <summary>Completes when all loops have ended, faults as soon as one died.</summary>
    protected static async Task AllEndedAsync(List<Task> running)
    {
        while (running.Count > 0)
        {
            var ended = await Task.WhenAny(running).ConfigureAwait(false);
            await ended.ConfigureAwait(false);
            running.Remove(ended);
        }
    }
}
