namespace Portico.Protocol.WebSockets;

/// <summary>What comes next in the bytes of a WebSocket.</summary>
public enum WebSocketPieceKind : byte
{
    /// <summary>More bytes have to come first.</summary>
    None,

    /// <summary>A part of a message of bytes.</summary>
    Payload,

    /// <summary>A message of text begins. Its bytes follow as payload.</summary>
    Text,

    /// <summary>The peer asks whether we are there.</summary>
    Ping,

    /// <summary>The peer is there.</summary>
    Pong,

    /// <summary>The peer sends nothing more.</summary>
    Close,

    /// <summary>No client sends this (RFC 6455 sections 5.1 to 5.5).</summary>
    Invalid,
}

/// <summary>One piece of what a client sent.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Start">Where its payload begins in the bytes that were read.</param>
/// <param name="Length">Bytes of its payload, unmasked.</param>
/// <param name="IsEnd">The message ends with it.</param>
public readonly record struct WebSocketPiece(WebSocketPieceKind Kind, int Start = 0, int Length = 0, bool IsEnd = false);

/// <summary>
/// Reads what a client sends on a WebSocket (RFC 6455), piece by piece, out of bytes that may be cut anywhere. Keeps nothing of them: a
/// header, or a close, ping or pong, that is not there whole is to be shown again with more behind it.
/// </summary>
public struct WebSocketReader
{
    private uint _mask;
    private long _done;
    private long _left;
    private bool _isFinal;
    private bool _isInFrame;
    private bool _isInMessage;

    /// <summary>Reads the next piece and takes its mask off, in place.</summary>
    /// <param name="bytes">What has come and was not read.</param>
    /// <param name="consumed">How much of it was read now.</param>
    public WebSocketPiece Read(Span<byte> bytes, out int consumed)
    {
        consumed = 0;
        if (_isInFrame)
            return bytes.IsEmpty && _left > 0 ? default : ReadPayload(bytes, ref consumed);
        var status = WebSocketFrameHeader.TryRead(bytes, out var header, out var length);
        if (status == FrameStatus.NeedMoreData) return default;
        if (status == FrameStatus.Invalid) return new(WebSocketPieceKind.Invalid);
        if (header.IsControl) return ReadControl(bytes, header, length, ref consumed);
        if (header.Opcode == WebSocketOpcode.Continuation != _isInMessage)
            return new(WebSocketPieceKind.Invalid);
        consumed = length;
        (_mask, _done, _left, _isFinal) = (header.Mask, 0, header.Payload, header.IsFinal);
        _isInFrame = _isInMessage = true;
        if (header.Opcode == WebSocketOpcode.Text) return new(WebSocketPieceKind.Text);
        // What is empty is a piece too, or its end would wait for the next frame.
        return _left > 0 && bytes.Length == length ? default : ReadPayload(bytes, ref consumed);
    }

    private WebSocketPiece ReadPayload(Span<byte> bytes, ref int consumed)
    {
        var start = consumed;
        var length = (int)Math.Min(_left, bytes.Length - start);
        WebSocketFrameHeader.Unmask(bytes.Slice(start, length), _mask, _done);
        consumed = start + length;
        _done += length;
        _left -= length;
        _isInFrame = _left > 0;
        var isEnd = !_isInFrame && _isFinal;
        if (isEnd) _isInMessage = false;
        return new(WebSocketPieceKind.Payload, start, length, isEnd);
    }

    private static WebSocketPiece ReadControl(Span<byte> bytes, in WebSocketFrameHeader header, int length, ref int consumed)
    {
        var payload = (int)header.Payload;
        if (bytes.Length < length + payload) return default;
        WebSocketFrameHeader.Unmask(bytes.Slice(length, payload), header.Mask, 0);
        consumed = length + payload;
        var kind = header.Opcode switch
        {
            WebSocketOpcode.Ping => WebSocketPieceKind.Ping,
            WebSocketOpcode.Pong => WebSocketPieceKind.Pong,
            // Half a status is none (section 5.5.1).
            _ => payload == 1 ? WebSocketPieceKind.Invalid : WebSocketPieceKind.Close,
        };
        return new(kind, length, payload);
    }
}
