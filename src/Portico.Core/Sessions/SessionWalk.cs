using Portico.Core.Net;

namespace Portico.Core.Sessions;

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
        switch (LookAtSlice(loop, ref _slot, look))
        {
            case Slice.Enough:
                _done.SetResult(_slot);
                break;
            case Slice.Last:
                _done.SetResult(-1);
                break;
            default:
                loop.Enqueue(this);
                break;
        }
    }

    /// <summary>Looks at the next few sessions of a loop, on that loop.</summary>
    /// <param name="loop">Whose sessions.</param>
    /// <param name="slot">Where to begin; afterwards, where to go on.</param>
    /// <param name="look">Looks at one; false = no more.</param>
    public static Slice LookAtSlice(EventLoop loop, ref int slot, Func<Session, bool> look)
    {
        var sessions = 0;
        for (var slots = 0; slots < SlotsPerSlice && sessions < SessionsPerSlice; slots++)
        {
            if (slot >= loop.Slots.Size) return Slice.Last;
            if (loop.Slots[slot++] is not { } channel || SessionDirectory.SessionOf(channel) is not { } session)
                continue;
            sessions++;
            if (!look(session)) return Slice.Enough;
        }

        return Slice.More;
    }

    public void OnFault(Exception error) => _done.TrySetException(error);

    /// <summary>How a slice ended.</summary>
    public enum Slice
    {
        /// <summary>There are others.</summary>
        More,

        /// <summary>It was the last one.</summary>
        Last,

        /// <summary>Whoever looks has seen enough.</summary>
        Enough,
    }
}
