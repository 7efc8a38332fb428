using System.Buffers;
using Portico.Core.Net;
using Portico.Protocol.WebProxy;
using Portico.Protocol.WebSockets;

namespace Portico.Core.Web;

/// <content>What comes from the app, in pieces, until a message of it is whole.</content>
internal sealed partial class LoopSocket
{
    // At a time, and in one turn of the loop.
    private const int ReadLength = 16 * 1024, ReadsInATurn = 8;

    private WebSocketReader _reader;
    private ByteStore _message;
    private long _begunMs;
    private bool _isWhole;
    private bool _mayHaveRoom;

    // Of a message that has begun.
    private bool AwaitsRest => !_message.IsEmpty && !_isHeld;

    private void Receive()
    {
        if (_isHeld && (!_mayHaveRoom || !GoOn())) return;
        for (var reads = 0; ; reads++)
        {
            if (_isDeaf) _arrived.Drop(Loop.Buffers);
            while (!_isHeld && !_arrived.IsEmpty && MayReadOn() && TakePiece())
            {
            }

            if (_isHeld || !_channel.CanRead) return;
            if (reads == ReadsInATurn)
            {
                Schedule(Loop);
                return;
            }

            var room = _arrived.Room(Loop.Buffers, ReadLength);
            var status = _channel.Read(room, out var count);
            if (status is IoStatus.Eof or IoStatus.Reset)
            {
                Lose(isEof: status == IoStatus.Eof);
                return;
            }

            _arrived.Add(count);
            if (count == 0) _arrived.Take(Loop.Buffers, 0); // gives an empty buffer back
            else (_heardMs, _askedMs) = (Loop.NowMs, 0);
        }
    }

    // False if more has to come first.
    private bool TakePiece()
    {
        var piece = _reader.Read(_arrived.Bytes, out var consumed);
        var isTaken = true;
        switch (piece.Kind)
        {
            case WebSocketPieceKind.Payload when !_hasSaidGoodbye:
                isTaken = TakePayload(piece);
                break;
            case WebSocketPieceKind.Ping when !_hasSaidGoodbye:
                Answer(WebSocketOpcode.Pong, _arrived.Bytes.Slice(piece.Start, piece.Length));
                break;
            case WebSocketPieceKind.Close:
                _hasHeardGoodbye = _isDeaf = true;
                Close(WebSocketFarewell.Normal);
                Send();
                return false;
            case WebSocketPieceKind.Text:
                Close(WebSocketFarewell.PolicyViolation);
                break;
            case WebSocketPieceKind.Invalid:
                // Where the next frame begins nobody knows.
                _isDeaf = true;
                Close(WebSocketFarewell.ProtocolError);
                return false;
        }

        // Closed by what was read: everything was given back.
        if (!_channel.IsClosed && !_arrived.IsEmpty) _arrived.Take(Loop.Buffers, consumed);
        return isTaken && (consumed > 0 || piece.Kind != WebSocketPieceKind.None);
    }

    // What has to wait stays here, and nothing is read behind it.
    private bool TakePayload(in WebSocketPiece piece)
    {
        if (_message.Length + piece.Length > WebBatchReader.MaxLength)
        {
            Close(WebSocketFarewell.MessageTooBig);
            return true;
        }

        // Nearly always all of a message is there, and is taken where it lies.
        if (piece.IsEnd && _message.IsEmpty)
        {
            if (Accept(_arrived.Memory.Slice(piece.Start, piece.Length))) return true;
            _message.Append(Loop.Buffers, _arrived.Bytes.Slice(piece.Start, piece.Length));
            return false;
        }

        var isFirst = _message.IsEmpty;
        if (piece.Length > 0)
            _message.Append(Loop.Buffers, _arrived.Bytes.Slice(piece.Start, piece.Length));
        if (piece.IsEnd) return AcceptMessage();
        if (isFirst && AwaitsRest) Await();
        return true;
    }

    private void Await()
    {
        _begunMs = Loop.NowMs;
        SetDeadline();
    }

    // What is longer than one read brings may only be kept in so many sockets at a time. A word beside uploads has to ask nobody.
    private bool MayReadOn()
    {
        if (_message.IsEmpty || _message.Length + _arrived.Length <= ReadLength || _carrier.TryBeginMessage())
            return true;
        (_isHeld, _isWhole, _mayHaveRoom) = (true, false, false);
        return false;
    }

    // With what was held. Only the app's own time counts.
    private bool GoOn()
    {
        if (_isWhole) return AcceptMessage();
        _mayHaveRoom = false;
        _isHeld = !_carrier.TryBeginMessage();
        if (!_isHeld) Await();
        return !_isHeld;
    }

    private bool AcceptMessage()
    {
        if (!Accept(_message.Memory)) return false;
        _message.Drop(Loop.Buffers);
        return true;
    }

    // False if it has to wait.
    private bool Accept(ReadOnlyMemory<byte> message)
    {
        var isGood = _carrier.TryAccept(new ReadOnlySequence<byte>(message));
        _isHeld = _isWhole = isGood is null;
        _mayHaveRoom = false;
        if (isGood is null) return false;
        if (isGood == false) Close(WebSocketFarewell.PolicyViolation);
        return true;
    }
}
