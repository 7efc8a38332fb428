using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net.Sockets;

/// <summary>The portable engine: one accepting socket per address deals its connections out to the loops in turn.</summary>
internal sealed class SocketsEngine : Engine
{
    private const int Backlog = 4096;

    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly List<SocketsLoop> _loops = [];
    private readonly List<Listening> _listening = [];
    private int _next;
    private volatile bool _stopping;

    public SocketsEngine(int loops, TimeProvider time)
    {
        for (var i = 0; i < loops; i++) _loops.Add(new SocketsLoop(i, time));
        Completion = AllEndedAsync([.. _loops.Select(loop => loop.Completion)]);
        foreach (var loop in _loops) loop.Start();
    }

    public override IReadOnlyList<EventLoop> Loops => _loops;

    public override Task Completion { get; }

    public override IPEndPoint Listen(IPEndPoint address, IAcceptor acceptor, InheritedSockets? inherited = null)
    {
        if (address.Address.Equals(IPAddress.IPv6Any) && !Socket.OSSupportsIPv6)
            address = new IPEndPoint(IPAddress.Any, address.Port);
        var socket = Bind(address);
        lock (_listening) _listening.Add(new Listening(acceptor, socket, AcceptAsync(socket, acceptor)));
        return new IPEndPoint(address.Address, ((IPEndPoint)socket.LocalEndPoint!).Port);
    }

    public override async Task StopListeningAsync()
    {
        _stopping = true;
        await CloseAsync(_ => true).ConfigureAwait(false);
    }

    public override Task StopListeningAsync(IAcceptor acceptor) => CloseAsync(listening => listening.Acceptor == acceptor);

    public override async Task StopAsync()
    {
        await StopListeningAsync().ConfigureAwait(false);
        foreach (var loop in _loops) loop.Stop();
        await Completion.ConfigureAwait(false);
    }

    private async Task CloseAsync(Predicate<Listening> which)
    {
        List<Listening> closed;
        lock (_listening)
        {
            closed = _listening.FindAll(which);
            _listening.RemoveAll(which);
        }

        foreach (var listening in closed) listening.Socket.Dispose();
        await Task.WhenAll(closed.Select(listening => listening.Accepting)).ConfigureAwait(false);
    }

    private static Socket Bind(IPEndPoint address)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (address.AddressFamily == AddressFamily.InterNetworkV6)
                socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
            if (OperatingSystem.IsLinux()) LimitUnsent(socket);
            socket.Bind(address);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException error)
        {
            socket?.Dispose();
            throw ListenException.For(address, error.SocketErrorCode);
        }
    }

    // Its clients inherit it.
    private static void LimitUnsent(Socket listener)
    {
        const int ipProtoTcp = 6, notSentLowWater = 25;
        listener.SetRawSocketOption(ipProtoTcp, notSentLowWater, BitConverter.GetBytes(Epoll.SocketOptions.MostUnsent));
    }

    private async Task AcceptAsync(Socket listener, IAcceptor acceptor)
    {
        var paused = false;
        while (!_stopping)
        {
            try
            {
                var client = await listener.AcceptAsync().ConfigureAwait(false);
                var isScarce = DescriptorReserve.IsScarce(client.Handle, DescriptorReserve.Accepting);
                var loop = _loops[(_next++ & int.MaxValue) % _loops.Count];
                loop.Post(new Adoption(loop, client, acceptor));
                if (isScarce)
                    await PauseAsync(listener, acceptor, "few file descriptors left").ConfigureAwait(false);
                paused = false;
            }
            catch (ObjectDisposedException)
            {
                return; // StopListeningAsync
            }
            catch (SocketException error) when (error.SocketErrorCode == SocketError.OperationAborted)
            {
                return; // closed while it waited
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionAborted or SocketError.ConnectionReset)
            {
                // The client left while it was queued.
            }
            catch (SocketException)
            {
                // Whatever it was, trying again at once would spin; a listener that gives up would refuse clients for no visible reason.
                if (!paused && !_stopping)
                    _loops[0].Post(() => acceptor.OnAcceptPaused("no file descriptors or kernel memory left"));
                paused = true;
                await Task.Delay(PauseAfterFailure).ConfigureAwait(false);
            }
        }
    }

    // Until there are some again; never for ever, as a stop closes what holds them.
    private async Task PauseAsync(Socket listener, IAcceptor acceptor, string reason)
    {
        _loops[0].Post(() => acceptor.OnAcceptPaused(reason));
        do await Task.Delay(PauseAfterFailure).ConfigureAwait(false);
        while (!_stopping && !listener.SafeHandle.IsClosed && DescriptorReserve.WouldBeScarce(DescriptorReserve.Accepting));
    }

    /// <summary>One address that is listened on.</summary>
    /// <param name="Acceptor">Who gets its clients.</param>
    /// <param name="Socket">Closing it ends <paramref name="Accepting"/>.</param>
    /// <param name="Accepting">Takes clients.</param>
    private sealed record Listening(IAcceptor Acceptor, Socket Socket, Task Accepting);

    /// <summary>An accepted socket on its way to its loop.</summary>
    private sealed class Adoption(SocketsLoop loop, Socket client, IAcceptor acceptor) : ILoopTask
    {
        public void Run()
        {
            if (loop.Adopt(client, NullOwner.Instance) is { } channel) acceptor.OnAccepted(channel);
        }

        public void OnFault(Exception error) => client.Dispose();
    }
}
