using System.Diagnostics;
using Portico.Protocol.WebSockets;

namespace Portico.Core.Web;

/// <summary>Why a WEB session is over.</summary>
internal enum WebEnd : byte
{
    /// <summary>The app said so.</summary>
    Deleted,

    /// <summary>Nothing was heard of the app for too long.</summary>
    Grace,

    /// <summary>Its frames, their numbers or its cursors cannot be.</summary>
    Protocol,

    /// <summary>It opens streams on and on, and takes nothing of what it is told of them.</summary>
    Limit,

    /// <summary>The WebSocket that carried it is gone.</summary>
    CarrierLost,

    /// <summary>Its secret is good no longer.</summary>
    Revoked,

    /// <summary>The proxy stops, or the listener is gone.</summary>
    Shutdown,

    /// <summary>An exception of ours.</summary>
    Fault,
}

/// <summary>Names of <see cref="WebEnd"/> values on the outside.</summary>
internal static class WebEnds
{
    /// <summary>The name in logs and metrics.</summary>
    /// <exception cref="UnreachableException">The value has no name: a programming error, caught by a test over all values.</exception>
    public static string Tag(this WebEnd end) => end switch
    {
        WebEnd.Deleted => "web_deleted",
        WebEnd.Grace => "web_grace",
        WebEnd.Protocol => "web_protocol",
        WebEnd.Limit => "web_limit",
        WebEnd.CarrierLost => "web_carrier_lost",
        WebEnd.Revoked => "secret_removed",
        WebEnd.Shutdown => "web_shutdown",
        WebEnd.Fault => "internal_error",
        _ => throw new UnreachableException($"WebEnd {(int)end} has no tag"),
    };

    /// <summary>What a WebSocket is closed with.</summary>
    /// <param name="end">Of the session; null = the socket alone has done its work.</param>
    public static WebSocketFarewell FarewellOf(WebEnd? end) => end switch
    {
        WebEnd.Shutdown => WebSocketFarewell.GoingAway,
        WebEnd.Protocol or WebEnd.Limit => WebSocketFarewell.PolicyViolation,
        _ => WebSocketFarewell.Normal,
    };
}
