using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>
/// Connections of one loop whose bytes are tried against many secrets take turns: a few slices each time round, in the order in which they asked, however many
/// strangers there are. Without it each of them would take a slice of every turn, and a hundred would hold up everything that relays.
/// </summary>
internal sealed class TrialQueue(EventLoop loop) : ILoopTask
{
    // Slices are 200 us (TrialProgress): a millisecond between two looks at what relays.
    private const int SlicesPerTurn = 5;

    private readonly Queue<(HandshakeState Handshake, int Ticket)> _waiting = new();
    private int _lastTicket;
    private bool _queued;

    /// <summary>Asks for a slice. The handshake is woken when it is its turn, and its <see cref="HandshakeState.TrialTicket"/> is 0 then.</summary>
    public void Enter(HandshakeState handshake)
    {
        handshake.TrialTicket = _lastTicket = _lastTicket == int.MaxValue ? 1 : _lastTicket + 1;
        _waiting.Enqueue((handshake, _lastTicket));
        Schedule();
    }

    public void Run()
    {
        _queued = false;
        for (var slices = 0; slices < SlicesPerTurn && _waiting.TryDequeue(out var next);)
        {
            if (next.Handshake.TrialTicket != next.Ticket) continue; // it is gone, or back for another client
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
