using Portico.Core.Diagnostics;
using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>
/// Closes the clients of a loop that hold most of its rented memory,
/// once that is more than its budget, until a quarter of the budget is free.
/// </summary>
internal sealed class MemoryRelief(EventLoop loop) : ILoopTask
{
    private IEnumerable<IMemoryHolder> _holders = [];
    private bool _isQueued;

    /// <summary>Soon: whoever found out may be in the middle of a packet.</summary>
    /// <param name="holders">Looked at then.</param>
    public void Begin(IEnumerable<IMemoryHolder> holders)
    {
        if (_isQueued) return;
        _isQueued = true;
        _holders = holders;
        loop.Enqueue(this);
    }

    public void Run()
    {
        _isQueued = false;
        var enough = loop.Buffers.Budget - (loop.Buffers.Budget / 4);
        var largestFirst = _holders.Where(client => client.HeldBytes > 0).OrderByDescending(client => client.HeldBytes).ToList();
        foreach (var client in largestFirst)
        {
            if (loop.Buffers.Rented <= enough) break;
            client.LetGo(CloseReason.MemoryLimit);
        }
    }

    public void OnFault(Exception error) => _isQueued = false;
}
