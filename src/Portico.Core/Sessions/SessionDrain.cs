using System.Runtime.ExceptionServices;
using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>
/// The sessions of one loop while the proxy stops. Whoever is silent is told at once: an app that hears FIN connects elsewhere within a
/// second, and one that waits for nothing would keep the process for as long as it may live. A transfer is left alone until it pauses.
/// </summary>
/// <param name="loop">Whose sessions.</param>
/// <param name="sparesNewcomers">Those that come while it drains are not touched and not waited for.</param>
internal sealed class SessionDrain(EventLoop loop, bool sparesNewcomers) : ILoopTask
{
    // Without a byte for so long, a session is silent.
    private const int SilentMs = 2000;

    // A client that was told has so long to finish: only idle ones are to be gone within a second, whatever they do.
    private const int FarewellMs = 300;

    private const int RoundMs = 50;

    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // In the order in which they were told.
    private readonly Queue<(Session Session, long DueMs)> _told = new();
    private readonly HashSet<Session> _known = [];
    private long _beganMs = -1;
    private int _slot;
    private int _left;

    /// <summary>Nobody is left who was there when it began.</summary>
    public Task Done => _done.Task;

    public void Run()
    {
        if (_beganMs < 0) _beganMs = loop.NowMs;
        if (_slot == 0) EndTold();
        if (SessionWalk.LookAtSlice(loop, ref _slot, Look) != SessionWalk.Slice.Last)
        {
            loop.Enqueue(this);
            return;
        }

        if (_left == 0) _done.TrySetResult();
        (_slot, _left) = (0, 0);
        loop.EnqueueAt(loop.NowMs + RoundMs, this);
    }

    public void OnFault(Exception error) => ExceptionDispatchInfo.Throw(error);

    private void EndTold()
    {
        while (_told.TryPeek(out var first) && first.DueMs <= loop.NowMs)
        {
            _known.Remove(first.Session);
            _told.Dequeue();
            first.Session.Client.RaiseShutdown();
        }
    }

    private bool Look(Session session)
    {
        if (sparesNewcomers && session.AcceptedMs > _beganMs) return true;
        _left++;
        if (_known.Contains(session) || !IsSilent(session)) return true;
        session.Alone(static it => it.SayGoodbye(CloseReason.Shutdown));
        if (session.Client.IsClosed) return true;
        _known.Add(session);
        _told.Enqueue((session, loop.NowMs + FarewellMs));
        return true;
    }

    // Who hears no more of us is only waited for (LingeringClose).
    private bool IsSilent(Session session) =>
        session.Client.Owner is IMemoryHolder holder && loop.NowMs - SilentMs >= holder.QuietSinceMs;
}
