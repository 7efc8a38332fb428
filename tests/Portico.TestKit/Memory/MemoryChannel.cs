using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;

namespace Portico.TestKit.Memory;

/// <summary>The proxy's end of a connection in memory. What it reads and writes is checked for what the kernel would not forgive.</summary>
internal sealed class MemoryChannel : Channel
{
    private readonly MemoryLoop _loop;
    private readonly IPEndPoint _remote;
    private bool _connected;
    private bool _writeClosed;
    private SocketError _connectResult;

    public MemoryChannel(MemoryLoop loop, IChannelOwner owner, MemoryPeer peer, IPEndPoint remote, bool connected)
        : base(loop, owner)
    {
        _loop = loop;
        _remote = remote;
        Peer = peer;
        _connected = connected;
        if (connected) AssumeWritable();
        Token = loop.Slots.Token(Slot);
        peer.Attach(this);
    }

    public MemoryPeer Peer { get; }

    /// <summary>What the kernel would hand back with an event.</summary>
    public ulong Token { get; }

    /// <summary>Already on the list of channels with news.</summary>
    public bool IsMarked { get; set; }

    /// <summary>The state that an event would show now.</summary>
    public Readiness Poll()
    {
        if (_connectResult != SocketError.Success) return new Readiness(true, true, true, true);
        if (!_connected) return default;
        var reset = Peer.HasReset;
        var fin = Peer.ToProxy.FinArrived;
        return new Readiness(Peer.ToProxy.Arrived > 0 || fin || reset, Peer.ToPeer.Free > 0 || reset, fin || reset, reset);
    }

    public void EndConnect(SocketError result)
    {
        if (IsClosed) return;
        _connected = result == SocketError.Success;
        _connectResult = result;
        _loop.MarkReady(this);
    }

    public override SocketError ConnectResult() => _connectResult;

    public override IPEndPoint? LocalAddress() => Peer.HasReset
        ? null
        : new IPEndPoint(
            _remote.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback, 40_000 + Slot);

    /// <summary>How often it was asked where its peer is.</summary>
    public int AddressQuestions { get; private set; }

    public override IPEndPoint? RemoteAddress()
    {
        AddressQuestions++;
        return Peer.HasReset ? null : _remote;
    }

    public override long UnacknowledgedBytes() => Peer.ToPeer.Length - Peer.ToPeer.Arrived;

    protected override IoStatus ReadCore(Span<byte> buffer, out int count)
    {
        if (buffer.IsEmpty)
            throw new InvalidOperationException("a read of no bytes comes back as 0, which means FIN");
        var before = GC.GetAllocatedBytesForCurrentThread();
        count = Begin() ? Peer.TakeForProxy(buffer) : 0;
        _loop.CountOwn(before);
        return AfterReading(count);
    }

    protected override IoStatus ReadWithGapsCore(Span<byte> area, int gap, int stride, out int count)
    {
        count = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        if (!Begin()) return AfterReading(0);
        var pieces = 0;
        for (var at = gap; at < area.Length && pieces < MostPieces; at += stride + gap, pieces++)
        {
            var room = Math.Min(stride, area.Length - at);
            var taken = Peer.ToProxy.Read(area.Slice(at, room));
            count += taken;
            if (taken < room) break;
        }

        Peer.TakeForProxy([]);
        _loop.CountOwn(before);
        return AfterReading(count);
    }

    protected override IoStatus WriteCore(ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        _loop.Meanwhile();
        if (Peer.HasReset || _writeClosed || _connectResult != SocketError.Success)
            return IoStatus.Reset;
        if (!_connected) return IoStatus.WouldBlock;
        written = Peer.PutFromProxy(bytes);
        _loop.CountOwn(before);
        return written > 0 || bytes.IsEmpty ? IoStatus.Ok : IoStatus.WouldBlock;
    }

    protected override void ShutdownWriteCore()
    {
        _writeClosed = true;
        Peer.ProxyFinished();
    }

    protected override void CloseCore(bool abort) => Peer.ProxyClosed(abort);

    private bool Begin()
    {
        if (Peer.NextReadThrows is { } error)
        {
            Peer.NextReadThrows = null;
            throw error;
        }

        _loop.Meanwhile();
        return _connected;
    }

    private IoStatus AfterReading(int count)
    {
        if (count > 0) return IoStatus.Ok;
        if (Peer.HasReset || _connectResult != SocketError.Success) return IoStatus.Reset;
        return Peer.ToProxy.FinArrived ? IoStatus.Eof : IoStatus.WouldBlock;
    }
}

/// <summary>What one event says.</summary>
internal readonly record struct Readiness(bool Readable, bool Writable, bool HungUp, bool Failed)
{
    public bool IsNothing => !(Readable | Writable | HungUp | Failed);
}
