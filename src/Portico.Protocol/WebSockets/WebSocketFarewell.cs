namespace Portico.Protocol.WebSockets;

/// <summary>Why a WebSocket is closed: the status of a close frame (RFC 6455 section 7.4.1).</summary>
public enum WebSocketFarewell : ushort
{
    /// <summary>It has done its work.</summary>
    Normal = 1000,

    /// <summary>The server stops.</summary>
    GoingAway = 1001,

    /// <summary>The peer's frames cannot be.</summary>
    ProtocolError = 1002,

    /// <summary>What came is not what the WebSocket is for.</summary>
    PolicyViolation = 1008,

    /// <summary>A message is longer than is taken.</summary>
    MessageTooBig = 1009,
}
