using Portico.TestKit.Wires;

namespace Portico.TestKit.Memory;

/// <summary>
/// The far end of a connection of the proxy, in a test's hands, and the network in between.
/// Behaves as a kernel does: closing with unread input is RST, bytes to a closed
/// socket come back as RST, what arrived before an RST can still be read.
/// </summary>
internal sealed class MemoryPeer(MemoryLoop loop)
{
    private readonly Queue<ReadOnlyMemory<byte>> _backlog = new();
    private readonly MemoryStream _collected = new();
    private readonly byte[] _chunk = new byte[4096];
    private int _backlogLength;
    private bool _finishing;
    private bool _resetByProxy;
    private bool _wantsSpace;
    private bool _readsAtOnce = true;

    /// <summary>From this peer to the proxy.</summary>
    public MemoryPipe ToProxy { get; } = new();

    /// <summary>From the proxy to this peer.</summary>
    public MemoryPipe ToPeer { get; } = new();

    /// <summary>The proxy's end; null until the proxy has accepted.</summary>
    public MemoryChannel? Channel { get; private set; }

    /// <summary>The proxy has given its end back: no descriptor is left.</summary>
    public bool IsReleased { get; private set; }

    /// <summary>An RST of this peer reached the proxy.</summary>
    public bool HasReset { get; private set; }

    /// <summary>Bytes of this peer that the proxy has not read.</summary>
    public int Unread => ToProxy.Length + _backlogLength;

    /// <summary>How often the proxy wrote to this peer and something was taken: the system calls it would have cost.</summary>
    public int Writes { get; private set; }

    /// <summary>Thrown by the proxy's next read: a fault of the proxy's own making.</summary>
    public Exception? NextReadThrows { get; set; }

    /// <summary>The way to this peer is cut: what the proxy sends does not arrive and is not acknowledged.</summary>
    public bool IsUnreachable { get; set; }

    /// <summary>Takes bytes as they come (the default); false: the peer stalls, bytes stay in the pipe until <see cref="Read"/>.</summary>
    public bool ReadsAtOnce
    {
        get => _readsAtOnce;
        set
        {
            _readsAtOnce = value;
            if (value) Collect();
        }
    }

    /// <summary>How the proxy ended its side, as far as this peer has seen.</summary>
    public PeerEnd End => _resetByProxy ? PeerEnd.Reset : ToPeer.FinArrived && ToPeer.Length == 0 ? PeerEnd.Fin : PeerEnd.None;

    /// <summary>Bytes taken and not yet handed to the test.</summary>
    public int CollectedLength => (int)_collected.Length;

    /// <summary>Nothing is under way in either direction.</summary>
    public bool IsCalm => !ToProxy.IsUnderWay && !ToPeer.IsUnderWay && !(ReadsAtOnce && ToPeer.Arrived > 0);

    /// <summary>Hands over and forgets what was taken so far.</summary>
    public byte[] Take()
    {
        var taken = _collected.ToArray();
        _collected.SetLength(0);
        return taken;
    }

    /// <summary>Sends; what the pipe has no room for follows as the proxy reads.</summary>
    public void Send(ReadOnlySpan<byte> bytes)
    {
        if (HasReset || _finishing)
            throw new InvalidOperationException("this peer has ended already");
        if (IsReleased)
        {
            _resetByProxy = true;
            return;
        }

        var count = _backlog.Count == 0 ? ToProxy.Write(bytes) : 0;
        if (count < bytes.Length)
        {
            _backlog.Enqueue(bytes[count..].ToArray());
            _backlogLength += bytes.Length - count;
        }

        Deliver();
    }

    /// <summary>FIN behind everything sent; the peer reads on.</summary>
    public void Finish()
    {
        _finishing = true;
        if (_backlog.Count == 0) ToProxy.Finish();
        Deliver();
    }

    /// <summary>RST: overtakes what has not arrived; nothing more reaches this peer.</summary>
    public void Reset()
    {
        HasReset = true;
        DropBacklog();
        ToProxy.LoseWhatIsUnderWay();
        Edge();
    }

    /// <summary>Takes bytes out by hand.</summary>
    public int Read(Span<byte> into)
    {
        var count = ToPeer.Read(into);
        if (count > 0) SpaceBecameFree();
        return count;
    }

    /// <summary>What is under way goes on: in calm weather all of it, else a random piece of one direction.</summary>
    public void Deliver()
    {
        if (loop.Turbulence is { } turbulence)
        {
            if (turbulence.Chance(2) && ToProxy.Arrive(turbulence.Piece(1 << 16))) Edge();
            if (turbulence.Chance(2) && !IsUnreachable) ToPeer.Arrive(turbulence.Piece(1 << 16));
            if (ReadsAtOnce && turbulence.Chance(2)) Collect();
            return;
        }

        if (ToProxy.Arrive(int.MaxValue)) Edge();
        if (!IsUnreachable) ToPeer.Arrive(int.MaxValue);
        if (ReadsAtOnce) Collect();
    }

    public void Attach(MemoryChannel channel)
    {
        Channel = channel;
        Edge();
    }

    /// <summary>The proxy reads.</summary>
    public int TakeForProxy(Span<byte> into)
    {
        var count = ToProxy.Read(into);
        Refill();
        return count;
    }

    /// <summary>The proxy writes; less than asked for means that it is owed an edge.</summary>
    public int PutFromProxy(ReadOnlySpan<byte> bytes)
    {
        var most = bytes.Length;
        if (loop.Turbulence is { } turbulence && turbulence.Chance(3))
            most = Math.Max(1, turbulence.Piece(most));
        var count = ToPeer.Write(bytes[..Math.Min(most, bytes.Length)]);
        if (count > 0) Writes++;
        _wantsSpace |= count < bytes.Length;
        Deliver();
        if (_wantsSpace && loop.Turbulence is not null) SpaceBecameFree();
        return count;
    }

    public void ProxyFinished()
    {
        ToPeer.Finish();
        Deliver();
    }

    public void ProxyClosed(bool abort)
    {
        IsReleased = true;
        if (HasReset) return;
        if (abort || Unread > 0)
        {
            _resetByProxy = true;
            ToPeer.LoseWhatIsUnderWay();
            DropBacklog();
        }

        ProxyFinished();
    }

    private void Edge()
    {
        if (Channel is not null) loop.MarkReady(Channel);
    }

    private void Refill()
    {
        while (_backlog.TryPeek(out var piece) && ToProxy.Free > 0)
        {
            var count = ToProxy.Write(piece.Span);
            _backlogLength -= count;
            _backlog.Dequeue();
            if (count == piece.Length) continue;
            // Queue has no way to put the rest back in front: everything behind it goes round once.
            _backlog.Enqueue(piece[count..]);
            for (var others = _backlog.Count - 1; others > 0; others--) _backlog.Enqueue(_backlog.Dequeue());
            break;
        }

        if (_finishing && _backlog.Count == 0) ToProxy.Finish();
        if (ToProxy.IsUnderWay) Deliver();
    }

    private void DropBacklog()
    {
        _backlog.Clear();
        _backlogLength = 0;
    }

    private void Collect()
    {
        for (int count; (count = ToPeer.Read(_chunk)) > 0;)
        {
            _collected.Write(_chunk, 0, count);
            SpaceBecameFree();
        }
    }

    private void SpaceBecameFree()
    {
        if (!_wantsSpace || ToPeer.Free == 0) return;
        _wantsSpace = false;
        Edge();
    }
}
