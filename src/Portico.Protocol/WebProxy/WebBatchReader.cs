using System.Buffers;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// Takes a batch apart: what one request, response or message carries, 1 to <see cref="MaxFrames"/> whole frames in at most
/// <see cref="MaxLength"/> bytes. Payloads are slices of the batch; nothing is copied. A mutable value: never copy one that is in use.
/// </summary>
/// <param name="batch">The whole batch.</param>
public ref struct WebBatchReader(ReadOnlySequence<byte> batch)
{
    /// <summary>Bytes.</summary>
    public const int MaxLength = 2 << 20;

    /// <summary>Frames.</summary>
    public const int MaxFrames = 4096;

    private ReadOnlySequence<byte> _rest = batch;

    /// <summary>Frames read so far.</summary>
    public int Frames { get; private set; }

    /// <summary>What is wrong with the batch, once <see cref="TryRead"/> gave no frame; None = it ended where a frame did.</summary>
    public WebProxyError Error { get; private set; } =
        batch.IsEmpty ? WebProxyError.Empty : batch.Length > MaxLength ? WebProxyError.BatchTooLarge : WebProxyError.None;

    /// <summary>Whether all of it is whole frames within the bounds.</summary>
    public static WebProxyError Check(in ReadOnlySequence<byte> batch)
    {
        var reader = new WebBatchReader(batch);
        while (reader.TryRead(out _)) { }
        return reader.Error;
    }

    /// <summary>The next frame.</summary>
    /// <param name="frame">The frame; <see langword="default"/> if there is none.</param>
    /// <returns>False at the end of the batch and at an error, for good.</returns>
    public bool TryRead(out WebFrame frame)
    {
        frame = default;
        if (Error != WebProxyError.None || _rest.IsEmpty)
            return false;
        if (_rest.Length < WebFrameHeader.Length)
            return Refuse(WebProxyError.Incomplete);

        if (ReadHeader(out var header, out var error) != FrameStatus.Ok)
            return Refuse(error);
        var body = _rest.Slice(WebFrameHeader.Length);
        if (body.Length < header.PayloadLength)
            return Refuse(WebProxyError.Incomplete);
        if (Frames == MaxFrames)
            return Refuse(WebProxyError.TooManyFrames);

        Frames++;
        frame = new WebFrame(header, body.Slice(0, header.PayloadLength));
        _rest = body.Slice(header.PayloadLength);
        return true;
    }

    private readonly FrameStatus ReadHeader(out WebFrameHeader header, out WebProxyError error)
    {
        if (_rest.FirstSpan.Length >= WebFrameHeader.Length)
            return WebFrameHeader.TryRead(_rest.FirstSpan, out header, out error);
        Span<byte> joined = stackalloc byte[WebFrameHeader.Length];
        _rest.Slice(0, WebFrameHeader.Length).CopyTo(joined);
        return WebFrameHeader.TryRead(joined, out header, out error);
    }

    private bool Refuse(WebProxyError error)
    {
        Error = error;
        return false;
    }
}
