using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Portico.Core.Net.Sockets;

/// <summary>
/// An event loop over System.Net.Sockets: one thread that sleeps on a semaphore while the runtime's own poller reports readiness.
/// Slower and larger than epoll, but it runs wherever .NET does, and the two check each other in every integration test.
/// </summary>
#pragma warning disable CA1001 // The semaphore is never disposed: operations that a stop aborts report to it at any time.
internal sealed class SocketsLoop(int index, TimeProvider time) : EventLoop(index, time)
#pragma warning restore CA1001
{
    private const int ResetCheckMs = 250;

    private readonly ConcurrentQueue<Readiness> _events = new();
    private readonly SemaphoreSlim _signal = new(0);
    private readonly HashSet<SocketsChannel> _unread = [];
    private long _nextResetCheckMs;
    private int _awake;

    public override Channel? Adopt(Socket socket, IChannelOwner owner) =>
        SocketsChannel.TrySetUp(socket, out _) ? new SocketsChannel(this, owner, socket, connected: true) : null;

    public override Channel? Connect(EndPoint address, IPAddress? from, IChannelOwner owner, out SocketError error)
    {
        Socket socket;
        try
        {
            socket = new Socket(
                address.AddressFamily, SocketType.Stream, address is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        }
        catch (SocketException refused)
        {
            error = refused.SocketErrorCode;
            return null;
        }

        if (DescriptorReserve.IsScarce(socket.Handle, DescriptorReserve.Connecting))
        {
            error = SocketError.TooManyOpenSockets;
            socket.Dispose();
            return null;
        }

        if (!SocketsChannel.TrySetUp(socket, out error) || !TryBind(socket, from, out error))
            return null;
        var channel = new SocketsChannel(this, owner, socket, connected: false);
        channel.BeginConnect(address);
        return channel;
    }

    // Where the system can, the port is chosen when it connects, so that one in use towards other addresses will do.
    private static bool TryBind(Socket socket, IPAddress? from, out SocketError error)
    {
        const int ipProtoIp = 0, bindAddressNoPort = 24;
        error = SocketError.Success;
        if (from is null) return true;
        try
        {
            if (OperatingSystem.IsLinux())
                socket.SetRawSocketOption(ipProtoIp, bindAddressNoPort, BitConverter.GetBytes(1));
            socket.Bind(new IPEndPoint(from, 0));
            return true;
        }
        catch (SocketException refused)
        {
            error = refused.SocketErrorCode;
            socket.Dispose();
            return false;
        }
    }

    /// <summary>A channel has news; raised in the next turn. From any thread.</summary>
    public void Report(in Readiness readiness)
    {
        _events.Enqueue(readiness);
        Wake();
    }

    protected override void Wake()
    {
        if (Interlocked.Exchange(ref _awake, 1) == 0) _signal.Release();
    }

    protected override void WaitAndRaise(int timeoutMs)
    {
        if (_unread.Count > 0 && (timeoutMs < 0 || timeoutMs > ResetCheckMs))
            timeoutMs = ResetCheckMs;
        if (_events.IsEmpty) _signal.Wait(timeoutMs);
        else _signal.Wait(0);
        Interlocked.Exchange(ref _awake, 0); // a full fence: events are looked at only after it
        ReadClock();
        for (var count = _events.Count; count > 0 && _events.TryDequeue(out var readiness); count--)
        {
            var channel = readiness.Channel;
            channel.RaiseOnLoop(readiness);
            if (channel.CanRead) _unread.Add(channel);
        }

        LookForResets();
    }

    // A zero-byte receive says the same for bytes, FIN and RST, and nothing more while bytes stay unread.
    // A peer that resets behind them, with its relay waiting for the other side, would be kept until the idle limit.
    // By the system's clock: this is about the system, not about deadlines.
    private void LookForResets()
    {
        if (_unread.Count == 0 || Environment.TickCount64 < _nextResetCheckMs) return;
        _nextResetCheckMs = Environment.TickCount64 + ResetCheckMs;
        _unread.RemoveWhere(channel => !channel.LookForReset());
    }
}

/// <summary>What an asynchronous operation of a channel came to.</summary>
internal readonly record struct Readiness(SocketsChannel Channel, bool IsReadable, bool IsWritable, bool HasFailed);
