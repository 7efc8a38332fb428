using System.Diagnostics;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>From the middle proxy: read, have frames cut out of it, hand each packet to its client.</summary>
internal sealed partial class MiddleProxyConnection
{
    // As everywhere: then the others of the loop have their turn.
    private const int ReadsPerTurn = 4;

    private readonly LinkReader _reader;

    // True when there is more to read: the caller comes back after the others had their turn.
    private bool Receive()
    {
        // there is something to take where a pause held it up
        if (_debt.IsPaused || (_reader.HasPlain && !TakeFrames())) return false;
        for (var reads = 0; reads < ReadsPerTurn && CanReceive; reads++)
        {
            var status = _channel!.Read(_reader.Room(), out var count);
            if (status == IoStatus.Ok)
            {
                _counters.Received += count;
                _lastReceivedMs = Loop.NowMs;
                _asked = false;
                _reader.Add(count);
                if (!TakeFrames()) return false;
                continue;
            }

            if (_reader.IsEmpty) _reader.Drop();
            if (status == IoStatus.Eof) Lose(SocketError.ConnectionReset, "closed by Telegram");
            else if (status == IoStatus.Reset) Lose(SocketError.ConnectionReset, "reset");
            return false;
        }

        return CanReceive;
    }

    private bool CanReceive => _channel!.CanRead && !_debt.IsPaused && _phase != Phase.Lost;

    // False: the link is lost or paused.
    private bool TakeFrames()
    {
        while (true)
        {
            var status = _reader.TryRead(out var payload, out var error);
            if (status == FrameStatus.Invalid) return Refuse(error);
            if (status == FrameStatus.NeedMoreData) return true;
            var goesOn = TakePayload(payload);
            if (_phase == Phase.Lost) return false;
            _reader.Take();
            if (!goesOn) return false;
        }
    }

    // False: stop here for now.
    private bool TakePayload(ReadOnlySpan<byte> payload)
    {
        switch (_phase)
        {
            case Phase.Nonce:
                return TakeNonce(payload);
            case Phase.Handshake:
                return TakeHandshake(payload);
            default:
                Dispatch(RpcPacket.Read(payload));
                if (_writer.Length > MostQueued)
                    Lose(SocketError.NoBufferSpaceAvailable, "it asks and does not read");
                return !_debt.IsPaused;
        }
    }

    private void Dispatch(RpcPacket packet)
    {
        switch (packet.Kind)
        {
            case RpcPacketKind.ProxyAns or RpcPacketKind.SimpleAck:
                if (_clients.TryGetValue(packet.ConnectionId, out var client))
                    HandOver(packet, client);
                else
                    SendCloseConn(packet.ConnectionId);
                break;
            case RpcPacketKind.CloseExt or RpcPacketKind.CloseConn:
                if (_clients.TryGetValue(packet.ConnectionId, out client)) HandOver(packet, client);
                break;
            case RpcPacketKind.Ping:
                SendPong(packet.PingId);
                break;
            case RpcPacketKind.Pong:
                break; // any byte received says that the link lives
            case RpcPacketKind.Unknown or RpcPacketKind.ProxyReq:
                Log.UnknownPacket(_pool.Services.Log, _pool.Dc, packet.Constructor);
                break;
            default:
                throw new UnreachableException($"packet kind {packet.Kind}");
        }
    }

    // A client that cannot take its packet for a fault of ours ends alone: the others on the link have done nothing.
    private void HandOver(RpcPacket packet, MiddleRelay client)
    {
        try
        {
            if (packet.Kind is RpcPacketKind.CloseExt or RpcPacketKind.CloseConn)
            {
                Leave(client, tellTelegram: false);
                client.OnClosedByTelegram();
                return;
            }

            HasServed = true;
            var delivery = packet.Kind == RpcPacketKind.ProxyAns ? client.Deliver(packet.Body) : client.Acknowledge(packet.Body);
            if (delivery.IsGone) client.OnGone();
            if (delivery.OwedBytes == 0) return;
            Owe(delivery.OwedBytes, 1);
            _pool.Backend.OnHeld();
        }
        catch (Exception error) when (!EventLoop.IsFatal(error))
        {
            client.OnFault(error);
        }
    }

    // The client whose answer was under way when the link ended: it will never get it, and it is quicker to connect again than to wait.
    private MiddleRelay? HalfReceivedClient()
    {
        const int enough = FullFrame.HeaderLength + RpcPacket.ProxyAnsHeaderLength;
        if (_phase != Phase.Ready || _reader.Front.Length < enough) return null;
        var packet = RpcPacket.Read(_reader.Front[FullFrame.HeaderLength..]);
        return packet.Kind == RpcPacketKind.ProxyAns ? _clients.GetValueOrDefault(packet.ConnectionId) : null;
    }
}
