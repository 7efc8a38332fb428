using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net.Epoll;

/// <summary>An event loop on one epoll descriptor and one eventfd.</summary>
internal sealed unsafe class EpollLoop : EventLoop, IDisposable
{
    private const int EventsPerTurn = 256;
    private const ulong WakeToken = ulong.MaxValue;

    // Listeners are told apart from channels by a generation that no slot has (SlotTable.LastGeneration); the low half is their index.
    private const ulong ListenerTokens = 0xffff_fffe_0000_0000;

    private readonly EpollEvents _events = new(EventsPerTurn);
    // A closed one leaves its place to the next, since its index is in the tokens of the others.
    private readonly List<EpollListener?> _listeners = [];
    private readonly int _epoll;
    private readonly int _wake;
    private int _wakePending;
    private EpollChannel? _accepted;
    private ClientNetwork _acceptedFrom;

    public EpollLoop(int index, TimeProvider time)
        : base(index, time)
    {
        _epoll = Native.epoll_create1(Native.EPOLL_CLOEXEC);
        if (_epoll < 0) throw new LoopFailure($"epoll_create1 failed with error {Native.Errno}");
        _wake = Native.eventfd(0, Native.EFD_NONBLOCK | Native.EFD_CLOEXEC);
        if (_wake < 0) throw new LoopFailure($"eventfd failed with error {Native.Errno}");
        if (!Watch(_wake, Native.EPOLLIN, WakeToken))
            throw new LoopFailure($"epoll_ctl failed with error {Native.Errno}");
    }

    /// <summary>On the loop: starts to accept from a listening socket.</summary>
    /// <param name="listener">Of this loop.</param>
    /// <param name="isHeld">Not before <see cref="EpollListener.Continue"/>.</param>
    public void Add(EpollListener listener, bool isHeld)
    {
        var place = _listeners.IndexOf(null);
        if (place < 0)
        {
            place = _listeners.Count;
            _listeners.Add(null);
        }

        _listeners[place] = listener;
        Watch(listener);
        if (isHeld) listener.Suspend();
    }

    /// <summary>The listening sockets, on the loop.</summary>
    public IEnumerable<EpollListener> Listeners => _listeners.OfType<EpollListener>();

    /// <summary>On the loop: closes the listening sockets of some acceptors.</summary>
    /// <param name="which">Of whom.</param>
    /// <param name="takesQueued">What is queued on them is accepted first. False = another process has them too.</param>
    public void CloseListeners(Func<IAcceptor, bool> which, bool takesQueued)
    {
        for (var i = 0; i < _listeners.Count; i++)
        {
            if (_listeners[i] is not { } listener || !which(listener.Acceptor)) continue;
            if (takesQueued) listener.AcceptQueued(ListeningSocket.Backlog);
            // Another process may have it too, and then closing does not take it out of the set.
            Unwatch(listener);
            Release(listener.Descriptor);
            _listeners[i] = null;
        }
    }

    /// <summary>Wraps an accepted socket and hands it over. False, with the socket closed, if the kernel watches no more of them.</summary>
    /// <param name="descriptor">The socket.</param>
    /// <param name="address">Where its client is, as accept wrote it.</param>
    /// <param name="acceptor">Receives it.</param>
    public bool Adopt(int descriptor, ReadOnlySpan<byte> address, IAcceptor acceptor)
    {
        if (Register(new EpollChannel(this, NullOwner.Instance, descriptor, connected: true), descriptor) is not { } channel)
            return false;
        (_accepted, _acceptedFrom) = (channel, ClientNetwork.Of(SocketAddress.Bytes(address)));
        acceptor.OnAccepted(channel);
        _accepted = null;
        return true;
    }

    /// <summary>Where a client is that is being handed over just now; unknown for all others.</summary>
    public ClientNetwork NetworkOfAccepted(EpollChannel channel) => channel == _accepted ? _acceptedFrom : default;

    public override Channel? Adopt(Socket socket, IChannelOwner owner)
    {
        // The runtime's object closes its own number; ours is another one of the same socket.
        var descriptor = Native.fcntl((int)socket.Handle, Native.F_DUPFD_CLOEXEC, 0);
        socket.Dispose();
        if (descriptor < 0) return null;
        SocketOptions.NonBlocking(descriptor);
        return Attach(descriptor, owner);
    }

    /// <summary>On the loop: watches a connected socket. Null, with the socket closed, if the kernel watches no more of them.</summary>
    public EpollChannel? Attach(int descriptor, IChannelOwner owner) =>
        Register(new EpollChannel(this, owner, descriptor, connected: true), descriptor);

    /// <summary>On the loop: hears nothing more of a socket, which stays open.</summary>
    public void Forget(int descriptor) => _ = Native.epoll_ctl(_epoll, Native.EPOLL_CTL_DEL, descriptor, null);

    public override Channel? Connect(EndPoint address, IPAddress? from, IChannelOwner owner, out SocketError error)
    {
        var descriptor = Native.socket(SocketAddress.Family(address), Native.SOCK_STREAM | Native.SOCK_NONBLOCK | Native.SOCK_CLOEXEC, 0);
        if (descriptor < 0)
        {
            error = Errors.ToSocketError(Native.Errno);
            return null;
        }

        if (DescriptorReserve.IsScarce(descriptor, DescriptorReserve.Connecting))
        {
            error = SocketError.TooManyOpenSockets;
            _ = Native.close(descriptor);
            return null;
        }

        var bytes = stackalloc byte[SocketAddress.MaxLength];
        if (from is not null && !BindOutgoing(descriptor, from, new Span<byte>(bytes, SocketAddress.MaxLength), out error))
            return null;
        var length = SocketAddress.Write(address, new Span<byte>(bytes, SocketAddress.MaxLength));
        if (Native.connect(descriptor, bytes, (uint)length) != 0 && Native.Errno is not (Native.EINPROGRESS or Native.EINTR))
        {
            error = Errors.ToSocketError(Native.Errno);
            _ = Native.close(descriptor);
            return null;
        }

        var channel = Register(new EpollChannel(this, owner, descriptor, connected: false), descriptor);
        error = channel is null ? SocketError.NoBufferSpaceAvailable : SocketError.Success;
        return channel;
    }

    // The port is chosen by connect, which may take one that is in use towards other addresses.
    private static bool BindOutgoing(int descriptor, IPAddress from, Span<byte> room, out SocketError error)
    {
        SocketOptions.Set(descriptor, Native.IPPROTO_IP, Native.IP_BIND_ADDRESS_NO_PORT, 1);
        var length = SocketAddress.Write(new IPEndPoint(from, 0), room);
        fixed (byte* address = room)
        {
            error = Native.bind(descriptor, address, (uint)length) == 0 ? SocketError.Success : Errors.ToSocketError(Native.Errno);
        }

        if (error != SocketError.Success) _ = Native.close(descriptor);
        return error == SocketError.Success;
    }

    /// <summary>
    /// Closing takes the descriptor out of the set. Only a duplicate in a child between fork and exec could keep events of it coming; the
    /// generation in their token finds nobody, and being edges they do not repeat (docs/adr/0003).
    /// </summary>
    public static void Release(int descriptor) => _ = Native.close(descriptor);

    /// <summary>Looks for clients of a listening socket.</summary>
    public void Watch(EpollListener listener)
    {
        var events = Native.EPOLLIN | (listener.IsShared ? Native.EPOLLEXCLUSIVE : 0);
        if (Watch(listener.Descriptor, events, ListenerTokens | (uint)_listeners.IndexOf(listener)))
            return;
        throw new LoopFailure($"a listening socket could not be watched: error {Native.Errno}"); // every n-th client would hang otherwise
    }

    /// <summary>
    /// Looks for none of its clients: a level-triggered event that is not to be served, or cannot be without descriptors, would spin.
    /// </summary>
    public void Unwatch(EpollListener listener) => _ = Native.epoll_ctl(_epoll, Native.EPOLL_CTL_DEL, listener.Descriptor, null);

    /// <summary>A listener cannot accept now: it is asked to try again later.</summary>
    public void StayPaused() => PauseAccept();

    public void Dispose()
    {
        Interlocked.Exchange(ref _wakePending, 1); // or a late post would write to whatever has that number then
        _events.Dispose();
        _ = Native.close(_wake);
        _ = Native.close(_epoll);
    }

    protected override void Wake()
    {
        if (Interlocked.Exchange(ref _wakePending, 1) != 0) return;
        ulong one = 1;
        _ = Native.write(_wake, &one, sizeof(ulong));
    }

    protected override void WaitAndRaise(int timeoutMs)
    {
        var count = Native.epoll_wait(_epoll, _events.Pointer, EventsPerTurn, timeoutMs);
        if (count < 0)
        {
            if (Native.Errno != Native.EINTR)
                throw new LoopFailure($"epoll_wait failed with error {Native.Errno}");
            return;
        }

        ReadClock();
        for (var i = 0; i < count; i++)
        {
            var token = _events.Token(i);
            if (token == WakeToken) ClearWake();
            else if (token >= ListenerTokens) _listeners[(int)(uint)token]?.OnReady();
            else if (Slots.Find(token) is { } channel) Raise(channel, _events.Mask(i));
        }
    }

    protected override void ResumeAccept()
    {
        base.ResumeAccept();
        foreach (var listener in _listeners) listener?.Resume();
    }

    private static void Raise(Channel channel, uint mask)
    {
        if ((mask & Native.EPOLLPRI) != 0) channel.DistrustShortReads();
        var failed = (mask & Native.EPOLLERR) != 0;
        var hungUp = (mask & (Native.EPOLLRDHUP | Native.EPOLLHUP)) != 0;
        channel.Raise((mask & Native.EPOLLIN) != 0, (mask & Native.EPOLLOUT) != 0, hungUp, failed);
    }

    private EpollChannel? Register(EpollChannel channel, int descriptor)
    {
        const uint both = Native.EPOLLIN | Native.EPOLLPRI | Native.EPOLLOUT | Native.EPOLLRDHUP | Native.EPOLLET;
        if (Watch(descriptor, both, Slots.Token(channel.Slot))) return channel;
        channel.Close();
        return null;
    }

    private bool Watch(int descriptor, uint mask, ulong token)
    {
        var target = stackalloc byte[16];
        EpollEvents.Write(target, mask, token);
        return Native.epoll_ctl(_epoll, Native.EPOLL_CTL_ADD, descriptor, target) == 0;
    }

    private void ClearWake()
    {
        ulong ignored;
        _ = Native.read(_wake, &ignored, sizeof(ulong));
        Interlocked.Exchange(ref _wakePending, 0); // a full fence: posts are looked at only after it
    }
}
