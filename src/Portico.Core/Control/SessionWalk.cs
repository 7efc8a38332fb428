using Portico.Core.Net;
using Portico.Core.Sessions;

namespace Portico.Core.Control;

/// <summary>
/// Looks at the sessions of one loop, on that loop, in slices with everything else between them: clients wait for a slice at most, some
/// 100 us. The walker alone knows what it collects; it is the loop's until <see cref="Done"/>.
/// </summary>
/// <param name="loop">Whose sessions.</param>
/// <param name="first">The slot to begin with.</param>
/// <param name="look">Looks at one; false = no more.</param>
internal sealed class SessionWalk(EventLoop loop, int first, Func<Session, bool> look) : ILoopTask
{
    private const int SessionsPerSlice = 64, SlotsPerSlice = 2048;

    private readonly TaskCompletionSource<int> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _slot = first;
    private volatile bool _isGivenUp;

    /// <summary>The slot after the last one that was looked at; -1 = there are no more.</summary>
    public Task<int> Done => _done.Task;

    /// <summary>Nobody waits any more.</summary>
    public void GiveUp() => _isGivenUp = true;

    public void Run()
    {
        if (_isGivenUp) return;
        var sessions = 0;
        for (var slots = 0; slots < SlotsPerSlice && sessions < SessionsPerSlice; slots++)
        {
            if (_slot >= loop.Slots.Size)
            {
                _done.SetResult(-1);
                return;
            }

            if (loop.Slots[_slot++] is not { } channel || SessionDirectory.SessionOf(channel) is not { } session)
                continue;
            sessions++;
            if (look(session)) continue;
            _done.SetResult(_slot);
            return;
        }

        loop.Enqueue(this);
    }

    public void OnFault(Exception error) => _done.TrySetException(error);
}
