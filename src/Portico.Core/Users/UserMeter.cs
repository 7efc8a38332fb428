using Portico.Core.Net;

namespace Portico.Core.Users;

/// <summary>
/// What the sessions of one user on one loop move. Written by that loop alone, without a lock; read by whoever sums up.
/// </summary>
/// <param name="user">Whose.</param>
/// <param name="loop">Index of the loop.</param>
/// <param name="next">Of the same user on another loop.</param>
internal sealed class UserMeter(UserRecord user, int loop, UserMeter? next)
{
    private long _received;
    private long _sent;
    private long _lease;
    private long _toldReceived;
    private long _toldSent;
    private int _hasMoved;
    private PacedQueue? _down;
    private PacedQueue? _up;

    public UserRecord User => user;

    public int Loop => loop;

    public UserMeter? Next => next;

    /// <summary>Bytes from clients.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Bytes to clients.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Bytes came from a client. On the loop.</summary>
    public void CountReceived(int bytes, long nowMs)
    {
        Volatile.Write(ref _received, _received + bytes);
        if (user.Limits is { } limits) limits.SpendUp(ref _lease, bytes, nowMs);
        if (_hasMoved == 0) NoteMove();
    }

    /// <summary>Bytes went to a client. On the loop.</summary>
    public void CountSent(int bytes, long nowMs)
    {
        Volatile.Write(ref _sent, _sent + bytes);
        if (user.Limits is { } limits) limits.SpendDown(ref _lease, bytes, nowMs);
        if (_hasMoved == 0) NoteMove();
    }

    /// <summary>Whether a session may move something in one direction before others that wait for that. On the loop.</summary>
    public bool IsTurnOf(ILoopTask session, bool isDown) => (isDown ? _down : _up)?.IsTurnOf(session) != false;

    /// <summary>Runs a session when its user may move more in one direction and it is its turn. On the loop.</summary>
    public void AwaitTurn(EventLoop on, ILoopTask session, bool isDown)
    {
        if (isDown) (_down ??= new PacedQueue(on, user, isDown)).Await(session);
        else (_up ??= new PacedQueue(on, user, isDown)).Await(session);
    }

    /// <summary>What its counters grew by since the last call. The next move is news again. One caller at a time.</summary>
    public (long Received, long Sent) TakeGrowth()
    {
        Interlocked.Exchange(ref _hasMoved, 0);
        var (received, sent) = (Received, Sent);
        var growth = (received - _toldReceived, sent - _toldSent);
        (_toldReceived, _toldSent) = (received, sent);
        return growth;
    }

    private void NoteMove()
    {
        // What was moved before is there for whoever takes the meter now.
        if (Interlocked.Exchange(ref _hasMoved, 1) == 0) user.Ledger.Moved(this);
    }
}
