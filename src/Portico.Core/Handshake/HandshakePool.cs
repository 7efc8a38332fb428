using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>
/// Handshake states of one loop that are not in use: as many as the last burst used,
/// until a minute has passed in which fewer were enough.
/// </summary>
internal sealed class HandshakePool(EventLoop loop) : ILoopTask
{
    private const int AlwaysKept = 64, QuietMs = 60_000;

    private readonly Stack<HandshakeState> _free = new(AlwaysKept);
    private int _inUse;
    private int _mostInUse;
    private bool _isWatching;

    /// <summary>How many are kept.</summary>
    public int Count => _free.Count;

    public HandshakeState Rent()
    {
        _mostInUse = Math.Max(_mostInUse, ++_inUse);
        return _free.TryPop(out var state) ? state : new HandshakeState(this, loop);
    }

    public void Return(HandshakeState state)
    {
        _inUse--;
        _free.Push(state);
        if (_free.Count > AlwaysKept && !_isWatching) Watch();
    }

    public void Run()
    {
        _isWatching = false;
        var kept = Math.Max(AlwaysKept, _mostInUse - _inUse);
        _mostInUse = _inUse;
        while (_free.Count > kept) _free.Pop();
        _free.TrimExcess();
        StepBoxes.Trim(kept);
        if (kept > AlwaysKept) Watch();
    }

    public void OnFault(Exception error) => Watch();

    private void Watch()
    {
        _isWatching = true;
        loop.EnqueueAt(loop.NowMs + QuietMs, this);
    }
}
