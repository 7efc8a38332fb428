using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// To the middle proxy: frames of many clients are appended as plain text to one buffer; once per turn of the loop they are padded, encrypted
/// and written in one go. Without Nagle and without a write per frame neither side waits for the other's acknowledgement.
/// </summary>
internal sealed partial class MiddleProxyConnection
{
    // Above the first, clients of this link are not read; below the second they are again. A client's longest packet may come on top.
    private const int HighWater = 256 * 1024, LowWater = 64 * 1024;

    // Clients alone stay below 1.5 MB. The rest is for pongs and farewells: a server that asks and does not read makes us queue no more than this.
    private const int MostQueued = 4 * 1024 * 1024;

    private readonly byte[] _ownAddress = new byte[RpcAddress.Length];
    private readonly Queue<MiddleRelay> _waitingForRoom = new();
    private ByteStore _outgoing;
    private MiddleProxyCipher _encrypt;
    private int _encrypted;
    private int _nextOutgoing = FullFrame.FirstSequence;
    private bool _isDirty;
    private long _lastSentMs;

    /// <summary>So much waits that clients must wait.</summary>
    public bool IsCongested => _outgoing.Length > HighWater;

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

    /// <summary>Bytes that wait for the cipher.</summary>
    public int PlainLength => _outgoing.Length - _encrypted;

    /// <summary>Fills the last block of what was queued since the last time.</summary>
    public void Pad()
    {
        var padding = FullFrame.PaddingLength(PlainLength);
        if (padding == 0) return;
        FullFrame.WritePadding(_outgoing.Room(Loop.Buffers, padding)[..padding]);
        _outgoing.Add(padding);
    }

    /// <summary>Encrypts what four links have padded, or fewer (spec/03 section 2.2); links that have no keys yet send as they are.</summary>
    public static void Encrypt(ReadOnlySpan<MiddleProxyConnection> links)
    {
        if (links.Length == 1)
        {
            links[0]._encrypt.Encrypt(links[0].TakePlain());
            return;
        }

        MiddleProxyCipher none = default, alsoNone = default;
        ref var third = ref links.Length > 2 ? ref links[2]._encrypt : ref none;
        ref var fourth = ref links.Length > 3 ? ref links[3]._encrypt : ref alsoNone;
        MiddleProxyCipher.EncryptInLockStep(
            ref links[0]._encrypt, links[0].TakePlain(), ref links[1]._encrypt, links[1].TakePlain(),
            ref third, links.Length > 2 ? links[2].TakePlain() : default, ref fourth, links.Length > 3 ? links[3].TakePlain() : default);
    }

    /// <summary>Writes what the kernel takes; the rest waits for an edge.</summary>
    public void Flush()
    {
        _isDirty = false;
        if (_outgoing.IsEmpty || !_channel!.CanWrite) return;
        var status = _channel.Write(_outgoing.Bytes, out var written);
        if (status == IoStatus.Reset)
        {
            Lose(SocketError.ConnectionReset, "reset while writing");
            return;
        }

        _counters.Sent += written;
        _encrypted -= written;
        _outgoing.Take(Loop.Buffers, written);
        if (written > 0) _lastSentMs = Loop.NowMs;
        if (_outgoing.Length > LowWater) return;
        while (_waitingForRoom.TryDequeue(out var client)) client.OnRoom(this);
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

    // What is to be encrypted now. The nonce frame is sent plain.
    private Span<byte> TakePlain()
    {
        var plain = _phase == Phase.Nonce ? default : _outgoing.Bytes[_encrypted..];
        _encrypted = _outgoing.Length;
        return plain;
    }

    // Room for a frame at the end of the output; returns where its payload goes.
    private Span<byte> BeginFrame(int payload)
    {
        // Padding for a whole block may follow.
        var room = _outgoing.Room(Loop.Buffers, FullFrame.HeaderLength + payload + FullFrame.TrailerLength + MiddleProxyCipher.BlockLength);
        return room.Slice(FullFrame.HeaderLength, payload);
    }

    private void EndFrame(int payload)
    {
        var length = FullFrame.HeaderLength + payload + FullFrame.TrailerLength;
        FullFrame.Seal(_outgoing.Room(Loop.Buffers, length)[..length], _nextOutgoing++);
        if (_outgoing.IsEmpty) _lastSentMs = Loop.NowMs;
        _outgoing.Add(length);
        MarkDirty();
    }

    private void MarkDirty()
    {
        if (_isDirty) return;
        _isDirty = true;
        _pool.Backend.Flusher.Add(this);
    }
}
