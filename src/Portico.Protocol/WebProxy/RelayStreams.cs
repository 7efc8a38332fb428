using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// The relay's view of one session: which streams are open, how much may be sent on each, which were closed. Batches are accepted whole
/// or not at all. Belongs to one thread at a time.
/// </summary>
/// <param name="maxStreams">How many may be open at a time; an OPEN beyond that costs only itself.</param>
public sealed class RelayStreams(int maxStreams)
{
    /// <summary>What OPEN alone allows to send in either direction, in bytes.</summary>
    public const uint InitialWindow = StreamWindows.Initial;

    private readonly Dictionary<uint, StreamWindows> _open = [];
    private readonly ClosedStreams _closed = new();

    /// <summary>How many streams are open.</summary>
    public int Count => _open.Count;

    /// <summary>
    /// Bytes of DATA in a batch: what has to wait somewhere if nobody takes it. Of one that is wrong, those before the fault.
    /// </summary>
    public static long DataIn(in ReadOnlySequence<byte> batch)
    {
        var sum = 0L;
        var reader = new WebBatchReader(batch);
        while (reader.TryRead(out var frame))
            sum += frame.Type == WebFrameType.Data ? frame.Payload.Length : 0;
        return sum;
    }

    /// <summary>Takes one batch of the app's: judges all of it before any of it counts.</summary>
    /// <param name="batch">The body of a request, or a message.</param>
    /// <param name="lane">The stream that this way is for alone, 0 for what belongs to no stream; null where there are no lanes.</param>
    /// <param name="result">Takes what the frames mean; empty if the batch is refused.</param>
    /// <param name="error">What is wrong: the session ends, on a WebSocket of its own the lane. None when all is well.</param>
    public bool TryAccept(in ReadOnlySequence<byte> batch, uint? lane, RelayBatch result, out WebProxyError error)
    {
        result.Clear();
        error = WebBatchReader.Check(batch);
        var reader = new WebBatchReader(batch);
        while (error == WebProxyError.None && reader.TryRead(out var frame))
            error = Apply(frame, lane, result);
        if (error == WebProxyError.None)
            return true;

        TakeBack(result.Changes);
        result.Clear();
        return false;
    }

    /// <summary>
    /// Gives the app back what left towards Telegram, or several such amounts together: call it when the WINDOW frame is written.
    /// </summary>
    /// <param name="stream">Which.</param>
    /// <param name="credit">Bytes.</param>
    /// <returns>False if the stream is closed: nothing may be written for it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Nothing, or more than the app has sent.</exception>
    public bool TryGiveCredit(uint stream, uint credit)
    {
        ref var windows = ref CollectionsMarshal.GetValueRefOrNullRef(_open, stream);
        if (Unsafe.IsNullRef(ref windows))
            return false;
        ArgumentOutOfRangeException.ThrowIfZero(credit);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(credit, InitialWindow - windows.Receive);
        windows.Receive += credit;
        return true;
    }

    /// <summary>How many of the bytes that wait may be sent to the app now; they count as sent.</summary>
    /// <param name="stream">Which.</param>
    /// <param name="waiting">Bytes, at least 0.</param>
    /// <returns>Bytes for DATA frames; 0 if the stream is closed or has to wait for credit.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A negative number.</exception>
    public int Spend(uint stream, int waiting)
    {
        ref var windows = ref CollectionsMarshal.GetValueRefOrNullRef(_open, stream);
        return Unsafe.IsNullRef(ref windows) ? 0 : windows.Spend(waiting);
    }

    /// <summary>Closes a stream from our side.</summary>
    /// <returns>Whether CLOSE is due: false if the app was first, after which it may not be written.</returns>
    public bool Close(uint stream)
    {
        if (!_open.Remove(stream))
            return false;
        _closed.Add(stream);
        return true;
    }

    private WebProxyError Apply(in WebFrame frame, uint? lane, RelayBatch result)
    {
        var shape = UplinkShape.Check(frame);
        if (shape != WebProxyError.None)
            return shape;
        if (lane is { } only && frame.Stream != only)
            return WebProxyError.CrossLane;
        if (frame.Type == WebFrameType.Open)
            return Open(frame, result);
        if (frame.Stream == 0)
        {
            result.Add(RelayEventKind.Pong, frame);
            return WebProxyError.None;
        }

        ref var windows = ref CollectionsMarshal.GetValueRefOrNullRef(_open, frame.Stream);
        if (Unsafe.IsNullRef(ref windows))
        {
            if (!_closed.Contains(frame.Stream))
                return WebProxyError.UnknownStream;
            result.Add(RelayEventKind.Ignored, frame);
            return WebProxyError.None;
        }

        switch (frame.Type)
        {
            case WebFrameType.Data:
                if (frame.Payload.Length > windows.Receive)
                    return WebProxyError.WindowOverrun;
                result.Changes.Add(new(frame.Stream, windows));
                windows.Receive -= (uint)frame.Payload.Length;
                result.Add(RelayEventKind.Data, frame);
                break;
            case WebFrameType.Window:
                result.Changes.Add(new(frame.Stream, windows));
                windows.Send = StreamWindows.Sum(windows.Send, WebFrame.ReadWindow(frame.Payload));
                result.Add(RelayEventKind.Credit, frame, windows.Send);
                break;
            default:
                Bury(frame.Stream, windows, result);
                result.Add(RelayEventKind.Closed, frame);
                break;
        }

        return WebProxyError.None;
    }

    private WebProxyError Open(in WebFrame frame, RelayBatch result)
    {
        if (_open.ContainsKey(frame.Stream) || _closed.Contains(frame.Stream))
            return WebProxyError.StreamReused;
        if (_open.Count >= maxStreams)
        {
            Bury(frame.Stream, null, result);
            result.Add(RelayEventKind.Rejected, frame);
            return WebProxyError.None;
        }

        result.Changes.Add(new(frame.Stream, null));
        _open.Add(frame.Stream, StreamWindows.AtOpen);
        result.Add(RelayEventKind.Opened, frame);
        return WebProxyError.None;
    }

    private void Bury(uint stream, StreamWindows? before, RelayBatch result)
    {
        _open.Remove(stream);
        result.Changes.Add(new(stream, before, IsBuried: true, _closed.Add(stream)));
    }

    // Backwards, so that each change finds what it left.
    private void TakeBack(List<RelayBatch.Change> changes)
    {
        for (var i = changes.Count - 1; i >= 0; i--)
        {
            var change = changes[i];
            if (change.IsBuried)
                _closed.Undo(change.Stream, change.Forgotten);
            if (change.Before is { } before)
                _open[change.Stream] = before;
            else
                _open.Remove(change.Stream);
        }
    }
}
