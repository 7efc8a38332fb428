using System.Diagnostics;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.MiddleProxy;

namespace Portico.Core.Backends.MiddleProxy;

/// <summary>From the middle proxy: decrypt whole blocks, cut frames, hand each packet to its client.</summary>
internal sealed partial class MiddleProxyConnection
{
    // As everywhere: then the others of the loop have their turn.
    private const int ReadsPerTurn = 4;

    // A read has room for at least this much, so that small frames come many at a time.
    private const int LeastRoom = 64 * 1024;

    private ByteStore _incoming;
    private MiddleProxyCipher _decrypt;
    private int _plain;
    private int _wanted;
    private int _nextIncoming = FullFrame.FirstSequence;

    // True when there is more to read: the caller comes back after the others had their turn.
    private bool Receive()
    {
        if (_debt.IsPaused || (_plain > 0 && !TakeFrames())) return false; // there is something to take where a pause held it up
        for (var reads = 0; reads < ReadsPerTurn && CanReceive; reads++)
        {
            // For a long frame as much again as has come: a length alone rents nothing.
            var missing = Math.Max(0, _wanted + MiddleProxyCipher.BlockLength - _incoming.Length);
            var room = Math.Max(LeastRoom, Math.Min(missing, _incoming.Length));
            var status = _channel!.Read(_incoming.Room(Loop.Buffers, room), out var count);
            if (status == IoStatus.Ok)
            {
                _counters.Received += count;
                _lastReceivedMs = Loop.NowMs;
                _asked = false;
                _incoming.Add(count);
                if (!TakeFrames()) return false;
                continue;
            }

            if (_incoming.IsEmpty) _incoming.Drop(Loop.Buffers);
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
            if (!Decrypt()) return _phase != Phase.Lost;
            var longest = _phase == Phase.Ready ? FullFrame.MaxLength : LongestSetUpFrame;
            var status = FullFrame.TryRead(_incoming.Bytes[.._plain], _nextIncoming, _pool.Settings.CheckCrc, out var frame, out var error, longest);
            if (status == FrameStatus.Invalid) return Refuse(error);
            if (status == FrameStatus.NeedMoreData)
            {
                Consume(frame.Consumed);
                _wanted = frame.Length;
                return true;
            }

            _nextIncoming++;
            var goesOn = TakePayload(_incoming.Bytes.Slice(frame.PayloadOffset, frame.PayloadLength));
            if (_phase == Phase.Lost) return false;
            Consume(frame.Consumed);
            if (_nextIncoming == FullFrame.FirstSequence + 1) _plain = 0; // behind the nonce is padding, perhaps cut inside a word, then ciphertext
            _wanted = 0;
            if (!goesOn) return false;
        }
    }

    // Everything before the handshake is plain; from then on whole blocks. False when there is nothing to look at.
    private bool Decrypt()
    {
        if (_phase == Phase.Nonce)
        {
            _plain = _incoming.Length;
        }
        else
        {
            if (_nextIncoming == FullFrame.FirstSequence + 1 && _plain == 0) DropPlainPadding();
            var whole = (_incoming.Length - _plain) & ~(MiddleProxyCipher.BlockLength - 1);
            _decrypt.Decrypt(_incoming.Bytes.Slice(_plain, whole));
            _plain += whole;
        }

        return _plain > 0;
    }

    private void Consume(int count)
    {
        _plain -= count;
        _incoming.Take(Loop.Buffers, count);
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
                if (_outgoing.Length > MostQueued) Lose(SocketError.NoBufferSpaceAvailable, "it asks and does not read");
                return !_debt.IsPaused;
        }
    }

    private void Dispatch(RpcPacket packet)
    {
        switch (packet.Kind)
        {
            case RpcPacketKind.ProxyAns or RpcPacketKind.SimpleAck:
                if (_clients.TryGetValue(packet.ConnectionId, out var client)) HandOver(packet, client);
                else SendCloseConn(packet.ConnectionId);
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
    private static void HandOver(RpcPacket packet, MiddleRelay client)
    {
        try
        {
            if (packet.Kind == RpcPacketKind.ProxyAns) client.Deliver(packet.Body);
            else if (packet.Kind == RpcPacketKind.SimpleAck) client.Acknowledge(packet.Body);
            else client.OnClosedByTelegram();
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
        if (_phase != Phase.Ready || _plain < enough) return null;
        var packet = RpcPacket.Read(_incoming.Bytes[FullFrame.HeaderLength.._plain]);
        return packet.Kind == RpcPacketKind.ProxyAns ? _clients.GetValueOrDefault(packet.ConnectionId) : null;
    }
}
