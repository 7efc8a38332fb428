using Portico.Core.Net;

namespace Portico.Core.Handshake;

/// <summary>
/// Connections of one loop whose bytes are tried against many secrets take turns: a few slices each time round,
/// however many strangers there are. Without it each of them would take a slice of every turn,
/// and a hundred would hold up everything that relays. Those on whom the fewest secrets were tried come first:
/// a client that is found soon does not wait behind strangers on whom all are tried. But a secret tried weighs no more than
/// four slices that others had since it asked, so that nobody waits for as long as newcomers come.
/// </summary>
internal sealed class TrialQueue(EventLoop loop) : ILoopTask
{
    // Slices are 200 us (TrialProgress): a millisecond between two looks at what relays.
    private const int SlicesPerTurn = 5;

    // With 1000 users and 100 strangers under way at all times, a loop that is full answered first comers within 400 ms, half of
    // them within 20; within 7000 ms (20) when only trials counted, within 340 (115) with one slice.
    private const int SlicesPerSecret = 4;

    private readonly PriorityQueue<(HandshakeState Handshake, int Ticket), (long Rank, long Order)> _waiting = new();
    private long _order;
    private long _slices;
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
        if (handshake.TrialsSince < 0) handshake.TrialsSince = _slices;
        // With hints alone tried so far it may be one who comes back: those are found with the next slice, if at all.
        var rank = tried == 0 ? 0 : handshake.TrialsSince + ((long)SlicesPerSecret * tried);
        _waiting.Enqueue((handshake, _lastTicket), (rank, _order++));
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
            _slices++;
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
