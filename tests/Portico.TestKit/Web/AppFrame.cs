using System.Buffers;
using Portico.Protocol.WebProxy;

namespace Portico.TestKit.Web;

/// <summary>A frame that an app got, and the writing of those that it sends.</summary>
public sealed record AppFrame(WebFrameType Type, uint Stream, byte[] Payload)
{
    public static byte[] Open(uint stream)
    {
        var frame = new byte[WebFrameHeader.Length];
        WebFrame.WriteOpen(frame, stream);
        return frame;
    }

    public static byte[] Close(uint stream)
    {
        var frame = new byte[WebFrameHeader.Length];
        WebFrame.WriteClose(frame, stream);
        return frame;
    }

    public static byte[] Window(uint stream, uint credit)
    {
        var frame = new byte[WebFrame.WindowLength];
        WebFrame.WriteWindow(frame, stream, credit);
        return frame;
    }

    public static byte[] Data(uint stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[WebFrameHeader.Length + payload.Length];
        WebFrame.WriteDataHeader(frame, stream, payload.Length);
        payload.CopyTo(frame.AsSpan(WebFrameHeader.Length));
        return frame;
    }

    /// <summary>The frames of a batch.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static IReadOnlyList<AppFrame> ReadAll(byte[] batch)
    {
        var frames = new List<AppFrame>();
        var reader = new WebBatchReader(new ReadOnlySequence<byte>(batch));
        while (reader.TryRead(out var frame))
            frames.Add(new AppFrame(frame.Type, frame.Stream, frame.Payload.ToArray()));
        return reader.Error == WebProxyError.None ? frames : throw new InvalidDataException($"{reader.Error} in a batch from the proxy");
    }
}
