namespace Portico.Protocol.WebProxy;

/// <summary>
/// The app's side of a batch that arrives in pieces: gives each frame as soon as it is whole. Memory grows with what arrived, never
/// with what a header announces. A mutable value: never copy one that is in use; one for each batch.
/// </summary>
public struct WebFrameReader
{
    private byte[]? _kept;
    private int _start;
    private int _end;
    private int _frames;
    private long _arrived;
    private WebProxyError _error;

    /// <summary>
    /// What is wrong if the batch ends here: nothing between two frames, <see cref="WebProxyError.Empty"/> before the first,
    /// <see cref="WebProxyError.Incomplete"/> inside one, or what was wrong before.
    /// </summary>
    public readonly WebProxyError AtEnd =>
        _error != WebProxyError.None ? _error
        : _arrived == 0 ? WebProxyError.Empty
        : _start < _end ? WebProxyError.Incomplete
        : WebProxyError.None;

    /// <summary>Takes the next piece. Frames given before it are no longer valid.</summary>
    public void Append(ReadOnlySpan<byte> piece)
    {
        _arrived += piece.Length;
        if (_arrived > WebBatchReader.MaxLength && _error == WebProxyError.None)
            _error = WebProxyError.BatchTooLarge;
        if (_error != WebProxyError.None)
            return;

        var left = _end - _start;
        if ((_kept?.Length ?? 0) - _end < piece.Length)
        {
            // What was read makes room first; doubling is bounded by twice of what arrived.
            var target = _kept?.Length >= left + piece.Length ? _kept : new byte[Math.Max(left + piece.Length, 2 * left)];
            _kept.AsSpan(_start, left).CopyTo(target);
            (_kept, _start, _end) = (target, 0, left);
        }

        piece.CopyTo(_kept.AsSpan(_end));
        _end += piece.Length;
    }

    /// <summary>The next frame.</summary>
    /// <param name="header">What stands in front; <see langword="default"/> unless Ok.</param>
    /// <param name="payload">Valid until the next <see cref="Append"/>; empty unless Ok.</param>
    /// <param name="error">With <see cref="FrameStatus.Invalid"/>: why. For good.</param>
    public FrameStatus TryRead(out WebFrameHeader header, out ReadOnlySpan<byte> payload, out WebProxyError error)
    {
        header = default;
        payload = default;
        var bytes = _kept.AsSpan(_start, _end - _start);
        var status = _error == WebProxyError.None
            ? WebFrameHeader.TryRead(bytes, out header, out _error)
            : FrameStatus.Invalid;
        if (status == FrameStatus.Ok && bytes.Length - WebFrameHeader.Length < header.PayloadLength)
            status = FrameStatus.NeedMoreData;
        if (status == FrameStatus.Ok && _frames == WebBatchReader.MaxFrames)
            (status, _error) = (FrameStatus.Invalid, WebProxyError.TooManyFrames);

        error = _error;
        if (status != FrameStatus.Ok)
        {
            header = default;
            return status;
        }

        _frames++;
        _start += WebFrameHeader.Length + header.PayloadLength;
        payload = bytes.Slice(WebFrameHeader.Length, header.PayloadLength);
        return FrameStatus.Ok;
    }
}
