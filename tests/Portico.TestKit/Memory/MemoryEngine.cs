using System.Net;
using Portico.Core.Net;
using Portico.TestKit.Time;

namespace Portico.TestKit.Memory;

/// <summary>The engine of Core tests: no threads, no sockets, no time but the test's.</summary>
internal sealed class MemoryEngine : Engine
{
    private readonly TaskCompletionSource _ended = new();
    private readonly List<IAcceptor?> _acceptors = [];

    /// <param name="time">The clock; moved through <see cref="MemoryLoop.Advance"/>.</param>
    /// <param name="seed">Of the weather; null = calm: everything arrives at once and whole.</param>
    public MemoryEngine(ManualTime time, int? seed = null)
    {
        Loop = new MemoryLoop(0, time, seed is { } value ? new Turbulence(value) : null);
        Loops = [Loop];
    }

    public MemoryLoop Loop { get; }

    public override IReadOnlyList<EventLoop> Loops { get; }

    public override Task Completion => _ended.Task;

    /// <summary>Who listens, in the order of the settings.</summary>
    public IReadOnlyList<IAcceptor?> Acceptors => _acceptors;

    /// <summary>Listening sockets are open.</summary>
    public bool IsListening { get; private set; } = true;

    /// <summary>An address that <see cref="Listen"/> refuses, as one that is taken.</summary>
    public IPEndPoint? Taken { get; set; }

    /// <summary>A client connects.</summary>
    public MemoryPeer Call(int listener = 0) =>
        IsListening && _acceptors[listener] is { } acceptor ? Loop.Call(acceptor) : throw new InvalidOperationException("nobody listens");

    public override IPEndPoint Listen(IPEndPoint address, IAcceptor acceptor, InheritedSockets? inherited = null)
    {
        if (address.Equals(Taken)) throw new ListenException($"cannot listen on {address}: taken");
        _acceptors.Add(acceptor);
        return address.Port == 0 ? new IPEndPoint(address.Address, 40000 + _acceptors.Count) : address;
    }

    public override Task StopListeningAsync()
    {
        IsListening = false;
        return Task.CompletedTask;
    }

    public override Task StopListeningAsync(IAcceptor acceptor)
    {
        for (var i = 0; i < _acceptors.Count; i++)
        {
            if (_acceptors[i] == acceptor) _acceptors[i] = null;
        }

        return Task.CompletedTask;
    }

    public override Task StopAsync()
    {
        _ended.TrySetResult();
        return Task.CompletedTask;
    }
}
