namespace Portico.Core.Net.Epoll;

/// <summary>One loop's member of a listening address. Level-triggered; never waits for a client.</summary>
internal sealed unsafe class EpollListener(EpollLoop loop, int descriptor, IAcceptor acceptor)
{
    /// <summary>Connections taken per event, so that a flood of them does not starve the sessions of the loop.</summary>
    public const int PerEvent = 64;

    private bool _paused;

    public int Descriptor => descriptor;

    /// <summary>Accepts until the queue is empty or <paramref name="limit"/> is reached.</summary>
    public void AcceptQueued(int limit)
    {
        for (var taken = 0; taken < limit; taken++)
        {
            var client = Native.accept4(descriptor, null, null, Native.SOCK_NONBLOCK | Native.SOCK_CLOEXEC);
            if (client >= 0)
            {
                var isScarce = DescriptorReserve.IsScarce(client, DescriptorReserve.Accepting);
                if (loop.Adopt(client) is { } channel) acceptor.OnAccepted(channel);
                if (!isScarce) continue;
                Pause("few file descriptors left");
                return;
            }

            var error = Native.Errno;
            if (error is Native.ECONNABORTED or Native.EINTR or Native.EPERM) continue;
            if (Errors.IsExhaustion(error)) Pause(error is Native.EMFILE or Native.ENFILE ? "no file descriptors left" : "no kernel memory left");
            return;
        }
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
        loop.WatchAccept(this, pause: false);
    }

    private void Pause(string reason)
    {
        if (_paused) return;
        _paused = true;
        loop.WatchAccept(this, pause: true);
        acceptor.OnAcceptPaused(reason);
    }
}
