using Portico.Core.Net;
using Portico.Protocol;
using Portico.Protocol.Tls;

namespace Portico.Web.Tls;

/// <summary>
/// A session of TLS 1.3 whose handshake is long over (RFC 8446 section 5): records, new keys when the peer takes some, and an end. Holds
/// no buffer while nothing moves.
/// </summary>
internal sealed class TlsRecords : ITlsSession
{
    // Most read at a time; and new keys in all, of which browsers take none.
    private const int ReadLength = TlsRecordCipher.HeaderLength + TlsRecordCipher.MaxBody, MostUpdates = 256;

    private const byte KeyUpdate = 24, CloseNotify = 0;

    private static readonly byte[] Goodbye = [1, CloseNotify], NewKeys = [KeyUpdate, 0, 0, 1, 0];

    private readonly BufferPool _buffers;
    private TlsTrafficSecret _clientSecret;
    private TlsTrafficSecret _serverSecret;
    private TlsRecordCipher _opening;
    private TlsRecordCipher _sealing;
    private ByteStore _arrived;
    private int _plain;
    private int _tail;
    private int _updates;
    private IoStatus _end = IoStatus.Ok;

    /// <param name="client">What the client's records are sealed with.</param>
    /// <param name="received">How many of them were read.</param>
    /// <param name="server">What ours are sealed with.</param>
    /// <param name="sent">How many of them were written.</param>
    /// <param name="buffers">Of its loop.</param>
    public TlsRecords(TlsTrafficSecret client, uint received, TlsTrafficSecret server, uint sent, BufferPool buffers)
    {
        (_clientSecret, _serverSecret, _buffers) = (client, server, buffers);
        (_opening, _sealing) = (client.NewCipher(received), server.NewCipher(sent));
    }

    public IoStatus Read(ITlsWire wire, Span<byte> buffer, out int count)
    {
        count = 0;
        while (count < buffer.Length)
        {
            if (_plain == 0)
            {
                var status = _end == IoStatus.Ok ? NextRecord(wire) : _end;
                // What was said once holds.
                if (status is IoStatus.Eof or IoStatus.Reset) _end = status;
                if (status != IoStatus.Ok) return status;
                continue;
            }

            var part = Math.Min(_plain, buffer.Length - count);
            _arrived.Bytes[..part].CopyTo(buffer[count..]);
            _arrived.Take(_buffers, part);
            count += part;
            _plain -= part;
            if (_plain == 0) _arrived.Take(_buffers, _tail);
        }

        return IoStatus.Ok;
    }

    public IoStatus Write(ITlsWire wire, ReadOnlySpan<byte> head, ReadOnlySpan<byte> bytes)
    {
        while (head.Length + bytes.Length > 0)
        {
            var part = bytes[..Math.Min(bytes.Length, TlsRecordCipher.MaxContent - head.Length)];
            Seal(wire, head, part, TlsContent.ApplicationData);
            bytes = bytes[part.Length..];
            head = [];
        }

        return IoStatus.Ok;
    }

    public void Shutdown(ITlsWire wire) => Seal(wire, [], Goodbye, TlsContent.Alert);

    public void Free()
    {
        _opening.Dispose();
        _sealing.Dispose();
        _arrived.Drop(_buffers);
    }

    private void Seal(ITlsWire wire, ReadOnlySpan<byte> head, ReadOnlySpan<byte> content, TlsContent type)
    {
        var room = wire.RoomForRecords(head.Length + content.Length + TlsRecordCipher.Overhead);
        wire.WroteRecords(_sealing.Seal(head, content, type, room));
    }

    // Opens one, so that what it has can be read.
    private IoStatus NextRecord(ITlsWire wire)
    {
        var measured = TlsRecordCipher.TryMeasure(_arrived.Bytes, out var length);
        if (measured == FrameStatus.Invalid) return IoStatus.Reset;
        if (measured == FrameStatus.NeedMoreData) return Fill(wire);
        var record = _arrived.Bytes[..length];
        if (!_opening.TryOpen(record, out var type, out var count)) return IoStatus.Reset;
        var content = record.Slice(TlsRecordCipher.HeaderLength, count);
        switch (type)
        {
            case TlsContent.ApplicationData:
                (_plain, _tail) = (count, length - TlsRecordCipher.HeaderLength - count);
                _arrived.Take(_buffers, TlsRecordCipher.HeaderLength + (count == 0 ? _tail : 0));
                return IoStatus.Ok;
            case TlsContent.Handshake when TryTakeKeys(wire, content):
                _arrived.Take(_buffers, length);
                return IoStatus.Ok;
            case TlsContent.Alert when count == Goodbye.Length && content[1] == CloseNotify:
                _arrived.Take(_buffers, length);
                return IoStatus.Eof;
            default:
                return IoStatus.Reset;
        }
    }

    private IoStatus Fill(ITlsWire wire)
    {
        var status = wire.ReadRecords(_arrived.Room(_buffers, ReadLength), out var count);
        _arrived.Add(count);
        _arrived.Take(_buffers, 0); // gives an empty buffer back
        return status;
    }

    // Section 4.6.3. Whoever wants new keys of us too gets them, which our last record under the old ones says.
    private bool TryTakeKeys(ITlsWire wire, ReadOnlySpan<byte> message)
    {
        if (message.Length != NewKeys.Length || !message[..^1].SequenceEqual(NewKeys.AsSpan(0, NewKeys.Length - 1)) || message[^1] > 1
            || ++_updates > MostUpdates)
            return false;
        _opening.Dispose();
        _clientSecret = _clientSecret.Next();
        _opening = _clientSecret.NewCipher();
        if (message[^1] == 0) return true;
        Seal(wire, [], NewKeys, TlsContent.Handshake);
        _sealing.Dispose();
        _serverSecret = _serverSecret.Next();
        _sealing = _serverSecret.NewCipher();
        return true;
    }
}
