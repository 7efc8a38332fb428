using System.Diagnostics;

namespace Portico.Protocol.WebProxy;

/// <summary>How frames travel between a page and us.</summary>
public enum WebCarrier : byte
{
    /// <summary>Requests with a body up, parked requests down.</summary>
    Https,

    /// <summary>The same for each stream separately.</summary>
    HttpsLanes,

    /// <summary>One WebSocket (RFC 6455, RFC 8441).</summary>
    WebSocket,

    /// <summary>One WebSocket for each stream.</summary>
    WebSocketLanes,
}

/// <summary>Names of <see cref="WebCarrier"/> values on the outside.</summary>
public static class WebCarriers
{
    /// <summary>The name in pages, headers and configuration.</summary>
    /// <exception cref="UnreachableException">The value has no name: a programming error, caught by a test over all values.</exception>
    public static string Tag(this WebCarrier carrier) => carrier switch
    {
        WebCarrier.Https => "https",
        WebCarrier.HttpsLanes => "https-lanes",
        WebCarrier.WebSocket => "websocket",
        WebCarrier.WebSocketLanes => "websocket-lanes",
        _ => throw new UnreachableException($"WebCarrier {(int)carrier} has no tag"),
    };
}
