using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// To the middle proxy: frames of many clients are appended as plain text to one buffer;
/// once per turn of the loop they are padded, encrypted and written in one go.
/// Without Nagle and without a write per frame neither side waits for the other's acknowledgement.
/// </summary>
internal sealed partial class MiddleProxyConnection
{
    // Above the first, clients of this link are not read; below the second they are again. A client's longest packet may come on top.
    private const int HighWater = 256 * 1024, LowWater = 64 * 1024;

    // Clients alone stay below 1.5 MB. The rest is for pongs and farewells:
    // a server that asks and does not read makes us queue no more than this.
    private const int MostQueued = 4 * 1024 * 1024;

    private readonly byte[] _ownAddress = new byte[RpcAddress.Length];
    private readonly Queue<MiddleRelay> _waitingForRoom = new();
    private readonly LinkWriter _writer;
    private bool _isDirty;
    private PeerProgress _progress;

    /// <summary>So much waits that clients must wait.</summary>
    public bool IsCongested => _writer.Length > HighWater;

    /// <summary>Queues a client's packet.</summary>
    public void SendRequest(MiddleRelay client, ReadOnlySpan<byte> packet, bool quickAck)
    {
        var adTag = client.AdTag;
        var header = new RpcProxyReqHeader
        {
            Flags = RpcProxyReqFlags.For(client.Transport, !adTag.IsEmpty, RpcProxyReqFlags.IsEncrypted(packet), quickAck),
            ConnectionId = client.Id,
            ClientAddress = client.Address,
            ClientPort = client.Port,
            ProxyAddress = _ownAddress,
            ProxyPort = (ushort)_own!.Port,
            AdTag = adTag,
        };
        var length = RpcProxyReq.HeaderLengthFor(!adTag.IsEmpty) + packet.Length;
        var payload = BeginFrame(length);
        packet.CopyTo(payload[RpcProxyReq.WriteHeader(payload, header)..]);
        EndFrame(length);
    }

    /// <summary>The client is told, by <see cref="MiddleRelay.OnRoom"/>, when this link takes packets again.</summary>
    public void AwaitRoom(MiddleRelay client) => _waitingForRoom.Enqueue(client);

    /// <summary>What goes out on it.</summary>
    public LinkWriter Writer => _writer;

    /// <summary>Writes what the kernel takes; the rest waits for an edge.</summary>
    public void Flush()
    {
        _isDirty = false;
        if (_writer.IsEmpty || !_channel!.CanWrite) return;
        var status = _channel.Write(_writer.Ready, out var written);
        if (status == IoStatus.Reset)
        {
            Lose(SocketError.ConnectionReset, "reset while writing");
            return;
        }

        _counters.Sent += written;
        _writer.Take(written);
        _progress.Wrote(written);
        if (IsReady && !_progress.IsWatched) Watch();
        if (_writer.Length > LowWater) return;
        while (_waitingForRoom.TryDequeue(out var client)) client.OnRoom(this);
    }

    // The first look comes sooner than the heartbeat would; those that follow are its own.
    private void Watch()
    {
        _progress.Watch(Loop.NowMs);
        _channel!.SetDeadline(Loop.NowMs + WatchedHeartbeatMs);
    }

    private void SendCloseConn(long id)
    {
        RpcPacket.WriteCloseConn(BeginFrame(RpcPacket.CloseLength), id);
        EndFrame(RpcPacket.CloseLength);
    }

    private void SendPong(long pingId)
    {
        RpcPacket.WritePong(BeginFrame(RpcPacket.PingLength), pingId);
        EndFrame(RpcPacket.PingLength);
    }

    // Nothing was heard for long: a link through a dead address translation looks just like a quiet one.
    private void Ask()
    {
        _asked = true;
        RpcPacket.WritePing(BeginFrame(RpcPacket.PingLength), Loop.NowMs);
        EndFrame(RpcPacket.PingLength);
    }

    private Span<byte> BeginFrame(int payload) => _writer.BeginFrame(payload);

    private void EndFrame(int payload)
    {
        _writer.EndFrame(payload);
        MarkDirty();
    }

    private void MarkDirty()
    {
        if (_isDirty) return;
        _isDirty = true;
        _pool.Backend.Flusher.Add(this);
    }
}
