using Portico.Core.Net;

namespace Portico.Core.Users;

/// <summary>
/// Sessions of one user on one loop that wait for the user's rate in one direction, in the order in which they came: while others wait,
/// nobody moves anything but whose turn it is. On the loop.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="user">Whose rate it is.</param>
/// <param name="isDown">Towards clients, or from them.</param>
internal sealed class PacedQueue(EventLoop loop, UserRecord user, bool isDown) : ILoopTask
{
    private const int LeastMs = 5, MostMs = 100, JitterMs = 10;

    private readonly Queue<ILoopTask> _waiting = new();
    private readonly HashSet<ILoopTask> _queued = [];
    private ILoopTask? _current;
    private bool _isArmed;

    /// <summary>Whether a session may move something before those that wait.</summary>
    public bool IsTurnOf(ILoopTask session) => _waiting.Count == 0 || session == _current;

    /// <summary>Runs a session when it is its turn. Once at a time.</summary>
    public void Await(ILoopTask session)
    {
        if (!_queued.Add(session)) return;
        _waiting.Enqueue(session);
        Arm();
    }

    public void Run()
    {
        _isArmed = false;
        for (var count = _waiting.Count; count > 0 && MayMove; count--)
        {
            _current = _waiting.Dequeue();
            _queued.Remove(_current);
            try
            {
                _current.Run();
            }
            catch (Exception error) when (!EventLoop.IsFatal(error))
            {
                _current.OnFault(error);
            }
        }

        _current = null;
        if (_waiting.Count > 0) Arm();
    }

    public void OnFault(Exception error)
    {
        _current = null;
        if (_waiting.Count > 0) Arm();
    }

    private bool MayMove =>
        user.Limits is not { } limits || (isDown ? limits.MaySend(loop.NowMs) : limits.MayReceive(loop.NowMs)) || limits.IsExhausted;

    // Loops that share a rate must not keep step, or one of them would always come first.
    private void Arm()
    {
        if (_isArmed) return;
        _isArmed = true;
        var opens = user.Limits?.OpensInMs(isDown, loop.NowMs) ?? 0;
        loop.EnqueueAt(loop.NowMs + Math.Clamp(opens, LeastMs, MostMs) + (loop.Turns % JitterMs), this);
    }
}
