namespace Portico.Core.Net.Epoll;

/// <summary>One loop's member of a listening address. Level-triggered; never waits for a client.</summary>
/// <param name="loop">Whose.</param>
/// <param name="descriptor">The socket.</param>
/// <param name="acceptor">Who gets what it accepts.</param>
/// <param name="isShared">Other loops listen with the same socket: the kernel wakes one of them for a client.</param>
internal sealed unsafe class EpollListener(EpollLoop loop, int descriptor, IAcceptor acceptor, bool isShared)
{
    // Connections taken per event, so that a flood of them does not starve the sessions of the loop.
    private const int MostPerEvent = 64;

    // To ask once more is a system call for nothing where connections come one at a time:
    // only after so many turns in a row with one left over are more taken in each.
    private const int TurnsBeforeMore = 3;

    private long _lastTurn;
    private int _fullTurns;
    private bool _paused;
    private bool _suspended;

    public int Descriptor => descriptor;

    /// <summary>Who gets what it accepts.</summary>
    public IAcceptor Acceptor => acceptor;

    /// <summary>Other loops listen with the same socket.</summary>
    public bool IsShared => isShared;

    /// <summary>
    /// Somebody waits. As many are accepted as the last turns have shown to wait at a time;
    /// the level-triggered event comes again for the others.
    /// </summary>
    public void OnReady()
    {
        if (loop.Turns != _lastTurn + 1) _fullTurns = 0;
        _lastTurn = loop.Turns;
        var limit = _fullTurns < TurnsBeforeMore ? 1 : Math.Min(MostPerEvent, 2 << Math.Min(_fullTurns - TurnsBeforeMore, 8));
        _fullTurns = AcceptQueued(limit) == limit ? _fullTurns + 1 : 0;
    }

    /// <summary>Accepts until the queue is empty or <paramref name="limit"/> is reached; returns how many it took.</summary>
    public int AcceptQueued(int limit)
    {
        var address = stackalloc byte[SocketAddress.MaxLength];
        for (var taken = 0; taken < limit; taken++)
        {
            uint length = SocketAddress.MaxLength;
            var client = Native.accept4(descriptor, address, &length, Native.SOCK_NONBLOCK | Native.SOCK_CLOEXEC);
            if (client >= 0)
            {
                if (TakeOver(client, new ReadOnlySpan<byte>(address, SocketAddress.MaxLength)))
                    continue;
                return taken + 1;
            }

            var error = Native.Errno;
            if (error is Native.ECONNABORTED or Native.EINTR or Native.EPERM) continue;
            if (Errors.IsExhaustion(error))
                Pause(error is Native.EMFILE or Native.ENFILE ? "no file descriptors left" : "no kernel memory left");
            return taken;
        }

        return limit;
    }

    // False after the last one for a while.
    private bool TakeOver(int client, ReadOnlySpan<byte> address)
    {
        var isScarce = DescriptorReserve.IsScarce(client, DescriptorReserve.Accepting);
        if (!loop.Adopt(client, address, acceptor))
            Pause("epoll takes no more sockets (fs.epoll.max_user_watches)");
        else if (isScarce)
            Pause("few file descriptors left");
        return !_paused;
    }

    /// <summary>A descriptor may have become free.</summary>
    public void Resume()
    {
        if (!_paused) return;
        if (DescriptorReserve.WouldBeScarce(DescriptorReserve.Accepting))
        {
            loop.StayPaused();
            return;
        }

        _paused = false;
        if (!_suspended) loop.Watch(this);
    }

    /// <summary>Accepts nothing for now, so that another process may. What is queued stays queued.</summary>
    public void Suspend()
    {
        if (_suspended) return;
        _suspended = true;
        if (!_paused) loop.Unwatch(this);
    }

    /// <summary>Nobody else accepts: goes on.</summary>
    public void Continue()
    {
        if (!_suspended) return;
        _suspended = false;
        if (!_paused) loop.Watch(this);
    }

    private void Pause(string reason)
    {
        if (_paused) return;
        _paused = true;
        if (!_suspended) loop.Unwatch(this);
        loop.StayPaused();
        acceptor.OnAcceptPaused(reason);
    }
}
