namespace Portico.Core.Web;

/// <summary>Bounds of WEB sessions.</summary>
internal sealed record WebLimits
{
    /// <summary>Of a listener: a stream is one of its sessions, and an app has several.</summary>
    public static WebLimits Of(int maxConnections) => new()
    {
        Sessions = Math.Max(1, maxConnections / 4),
        Streams = Math.Max(1, maxConnections),
    };

    /// <summary>Streams that one session may have open; an OPEN beyond it is answered with CLOSE.</summary>
    public int StreamsPerSession { get; init; } = 256;

    /// <summary>A session of which nothing is heard for so long is over, in ms.</summary>
    public int GraceMs { get; init; } = 120_000;

    /// <summary>A request for frames that finds none waits so long, in ms: servers in front cut at 30 to 60 s.</summary>
    public int PollMs { get; init; } = 25_000;

    /// <summary>A request with frames that finds no room waits so long, in ms, before it is asked to come again.</summary>
    public int HoldMs { get; init; } = 20_000;

    /// <summary>
    /// A message on a WebSocket, once it has begun, is whole within so long, in ms: the longest at 56 kbit/s. A page makes its bodies
    /// shorter on a slow line, its messages not.
    /// </summary>
    public int MessageMs { get; init; } = 300_000;

    /// <summary>Sessions at a time.</summary>
    public int Sessions { get; init; } = 16_000;

    /// <summary>Streams at a time, of all sessions.</summary>
    public int Streams { get; init; } = 64_000;

    /// <summary>Bridge pages whose token was not used; the oldest of them goes.</summary>
    public int Bootstraps { get; init; } = 4096;

    /// <summary>A token of a bridge page is good for so long, and the end of a session is remembered, in ms.</summary>
    public int TokenMs { get; init; } = 120_000;
}
