using System.Buffers;

namespace Portico.Protocol.WebProxy;

/// <summary>Which frames an app may send at all, whatever streams there are.</summary>
public static class UplinkShape
{
    /// <summary>Judges one frame by itself.</summary>
    /// <returns>None, a payload that the type does not have, or a direction that it does not go.</returns>
    public static WebProxyError Check(in WebFrame frame)
    {
        if (frame.Stream == 0)
            return frame.Type != WebFrameType.Pong ? WebProxyError.BadDirection
                : frame.Payload.Length <= WebFrame.MaxEcho ? WebProxyError.None
                : WebProxyError.BadPayload;

        var isRight = frame.Type switch
        {
            WebFrameType.Open or WebFrameType.Close => frame.Payload.IsEmpty,
            WebFrameType.Data => !frame.Payload.IsEmpty,
            WebFrameType.Window => WebFrame.ReadWindow(frame.Payload) != 0,
            _ => default(bool?),
        };
        return isRight switch
        {
            null => WebProxyError.BadDirection,
            true => WebProxyError.None,
            false => WebProxyError.BadPayload,
        };
    }

    /// <summary>Whether a body is HELLO and nothing else: what a session is created with.</summary>
    public static bool IsHello(in ReadOnlySequence<byte> body)
    {
        if (body.Length != WebFrame.Hello.Length)
            return false;
        Span<byte> joined = stackalloc byte[WebFrame.Hello.Length];
        body.CopyTo(joined);
        return joined.SequenceEqual(WebFrame.Hello);
    }
}
