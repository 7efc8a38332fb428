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

    public override IPEndPoint Listen(IPEndPoint address, IAcceptor acceptor)
    {
        var bound = ListeningSocket.ProbeFree(address);
        var descriptors = ListeningSocket.OpenGroup(bound, _loops.Count);
        for (var i = 0; i < _loops.Count; i++)
        {
            var (loop, listener) = (_loops[i], new EpollListener(_loops[i], descriptors[i], acceptor));
            loop.Post(() => loop.Add(listener));
        }

        return bound;
    }

    public override Task StopListeningAsync() => OnEveryLoop(loop => loop.CloseListeners(_ => true));

    public override Task StopListeningAsync(IAcceptor acceptor) => OnEveryLoop(loop => loop.CloseListeners(it => it == acceptor));

    public override async Task StopAsync()
    {
        foreach (var loop in _loops) loop.Stop();
        await Completion.ConfigureAwait(false);
        foreach (var loop in _loops) loop.Dispose();
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
