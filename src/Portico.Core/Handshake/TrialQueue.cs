using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>
/// Connections of one loop whose bytes are tried against many secrets take turns: a few slices each time round,
/// however many strangers there are. Without it each of them would take a slice of every turn,
/// and a hundred would hold up everything that relays. Those on whom the fewest secrets were tried come first,
/// then those who asked first: a client that is found soon does not wait behind strangers on whom all are tried.
/// </summary>
internal sealed class TrialQueue(EventLoop loop) : ILoopTask
{
    // Slices are 200 us (TrialProgress): a millisecond between two looks at what relays.
    private const int SlicesPerTurn = 5;

    private readonly PriorityQueue<(HandshakeState Handshake, int Ticket), (int Tried, long Order)> _waiting = new();
    private long _order;
    private int _lastTicket;
    private bool _queued;

    /// <summary>
    /// Asks for a slice. The handshake is woken when it is its turn,
    /// and its <see cref="HandshakeState.TrialTicket"/> is 0 then.
    /// </summary>
    /// <param name="handshake">Whose.</param>
    /// <param name="tried">So many secrets were tried on it.</param>
    public void Enter(HandshakeState handshake, int tried)
    {
        handshake.TrialTicket = _lastTicket = _lastTicket == int.MaxValue ? 1 : _lastTicket + 1;
        _waiting.Enqueue((handshake, _lastTicket), (tried, _order++));
        Schedule();
    }

    public void Run()
    {
        _queued = false;
        for (var slices = 0; slices < SlicesPerTurn && _waiting.TryDequeue(out var next, out _);)
        {
            // it is gone, or back for another client
            if (next.Handshake.TrialTicket != next.Ticket) continue;
            next.Handshake.TrialTicket = 0;
            next.Handshake.Nudge();
            slices++;
        }

        if (_waiting.Count > 0) Schedule();
    }

    // Nothing of a session's is done here; a fault is the queue's own and would repeat.
    public void OnFault(Exception error) => _waiting.Clear();

    private void Schedule()
    {
        if (_queued) return;
        _queued = true;
        loop.Enqueue(this);
    }
}
