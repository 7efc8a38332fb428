using System.Diagnostics;

namespace Portico.Protocol.WebProxy;

/// <summary>
/// Why frames of a WEB proxy were not accepted, by either side. On our side each ends the session, on carriers with lanes the lane;
/// an app throws its whole carrier away.
/// </summary>
public enum WebProxyError : byte
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>A batch without a frame.</summary>
    Empty,

    /// <summary>A batch that ends inside a frame.</summary>
    Incomplete,

    /// <summary>A frame of a type that there is not.</summary>
    UnknownType,

    /// <summary>A frame that announces more than 1 MiB.</summary>
    TooLarge,

    /// <summary>A batch of more than 4096 frames.</summary>
    TooManyFrames,

    /// <summary>A batch of more than 2 MiB.</summary>
    BatchTooLarge,

    /// <summary>A payload that this type does not have.</summary>
    BadPayload,

    /// <summary>A frame that only the other side sends, or one on stream 0 that belongs to a stream, or the reverse.</summary>
    BadDirection,

    /// <summary>In a lane: a frame of another stream.</summary>
    CrossLane,

    /// <summary>OPEN of a stream that is open, or that was closed not long ago.</summary>
    StreamReused,

    /// <summary>A frame of a stream that is neither open nor was closed not long ago.</summary>
    UnknownStream,

    /// <summary>More DATA than the receiver gave credit for.</summary>
    WindowOverrun,

    /// <summary>To an app: anything before WELCOME.</summary>
    BeforeWelcome,

    /// <summary>To an app: a WELCOME with a payload, or a second one.</summary>
    BadWelcome,

    /// <summary>To an app: BYE, the orderly end of a session.</summary>
    Bye,
}

/// <summary>Names of <see cref="WebProxyError"/> values on the outside.</summary>
public static class WebProxyErrors
{
    /// <summary>The snake_case name used in logs.</summary>
    /// <exception cref="UnreachableException">The value has no name: a programming error, caught by a test over all values.</exception>
    public static string Tag(this WebProxyError error) => error switch
    {
        WebProxyError.None => "none",
        WebProxyError.Empty => "empty",
        WebProxyError.Incomplete => "incomplete",
        WebProxyError.UnknownType => "unknown_type",
        WebProxyError.TooLarge => "too_large",
        WebProxyError.TooManyFrames => "too_many_frames",
        WebProxyError.BatchTooLarge => "batch_too_large",
        WebProxyError.BadPayload => "bad_payload",
        WebProxyError.BadDirection => "bad_direction",
        WebProxyError.CrossLane => "cross_lane",
        WebProxyError.StreamReused => "stream_reused",
        WebProxyError.UnknownStream => "unknown_stream",
        WebProxyError.WindowOverrun => "window_overrun",
        WebProxyError.BeforeWelcome => "before_welcome",
        WebProxyError.BadWelcome => "bad_welcome",
        WebProxyError.Bye => "bye",
        _ => throw new UnreachableException($"WebProxyError {(int)error} has no tag"),
    };
}
