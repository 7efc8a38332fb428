using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>Handshake states of one loop that are not in use. As many as are under way at a time in a busy hour; a burst beyond that is left to the collector.</summary>
internal sealed class HandshakePool(EventLoop loop)
{
    private const int Kept = 64;

    private readonly Stack<HandshakeState> _free = new(Kept);

    public HandshakeState Rent() => _free.TryPop(out var state) ? state : new HandshakeState(this, loop);

    public void Return(HandshakeState state)
    {
        if (_free.Count < Kept) _free.Push(state);
    }
}
