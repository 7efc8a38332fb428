using System.Collections.Immutable;
using System.Net;

namespace Portico.Core.Net.Epoll;

/// <summary>A thread with an epoll loop per core; each has its own SO_REUSEPORT socket for every listening address.</summary>
internal sealed class EpollEngine : Engine
{
    private readonly List<EpollLoop> _loops = [];

    public EpollEngine(int loops, TimeProvider time)
    {
        for (var i = 0; i < loops; i++) _loops.Add(new EpollLoop(i, time));
        Completion = AllEndedAsync([.. _loops.Select(loop => loop.Completion)]);
        foreach (var loop in _loops) loop.Start();
    }

    public override IReadOnlyList<EventLoop> Loops => _loops;

    public override Task Completion { get; }

    public override bool CanHandOver => true;

    public override IPEndPoint Listen(IPEndPoint address, IAcceptor acceptor, InheritedSockets? inherited = null)
    {
        var isHeld = inherited is { AreHeld: true };
        if (inherited?.Take(address) is { IsEmpty: false } taken)
        {
            Spread(taken, acceptor, isHeld);
            return ListeningSocket.BoundTo(taken[0])!;
        }

        var bound = ListeningSocket.ProbeFree(address);
        Spread([.. ListeningSocket.OpenGroup(bound, _loops.Count)], acceptor, isHeld);
        return bound;
    }

    public override Task StopListeningAsync() => OnEveryLoop(loop => loop.CloseListeners(_ => true, takesQueued: true));

    public override Task StopListeningAsync(IAcceptor acceptor) =>
        OnEveryLoop(loop => loop.CloseListeners(it => it == acceptor, takesQueued: true));

    public override Task LeaveListeningAsync() => OnEveryLoop(loop => loop.CloseListeners(_ => true, takesQueued: false));

    public override Task SuspendListeningAsync() => OnEveryLoop(loop =>
    {
        foreach (var listener in loop.Listeners) listener.Suspend();
    });

    public override Task ResumeListeningAsync() => OnEveryLoop(loop =>
    {
        foreach (var listener in loop.Listeners) listener.Continue();
    });

    public override async Task<ImmutableArray<int>> ListeningDescriptorsAsync()
    {
        var perLoop = new ImmutableArray<int>[_loops.Count];
        await OnEveryLoop(loop => perLoop[loop.Index] = [.. loop.Listeners.Select(it => it.Descriptor)]).ConfigureAwait(false);
        return [.. perLoop.SelectMany(it => it)];
    }

    public override async Task StopAsync()
    {
        foreach (var loop in _loops) loop.Stop();
        await Completion.ConfigureAwait(false);
        foreach (var loop in _loops) loop.Dispose();
    }

    // One for each loop as a rule. Whoever opened them may have had fewer loops, or more.
    private void Spread(ImmutableArray<int> sockets, IAcceptor acceptor, bool isHeld)
    {
        for (var i = 0; i < Math.Max(sockets.Length, _loops.Count); i++)
        {
            var descriptor = i < sockets.Length ? sockets[i] : ListeningSocket.Duplicate(sockets[i % sockets.Length]);
            if (descriptor < 0) return; // the other loops have it
            var loop = _loops[i % _loops.Count];
            var listener = new EpollListener(loop, descriptor, acceptor, isShared: sockets.Length < _loops.Count);
            loop.Post(() => loop.Add(listener, isHeld));
        }
    }

    private Task OnEveryLoop(Action<EpollLoop> action) => Task.WhenAll(_loops.Select(loop =>
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(() =>
        {
            action(loop);
            done.SetResult();
        });
        return done.Task;
    }));
}
