using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;
using Portico.Protocol.WebSockets;
using Portico.Web.Doors;

namespace Portico.Web.Carriers;

/// <summary>
/// WebSockets, over HTTP/1.1 (RFC 6455) and HTTP/2 (RFC 8441). Only a request with a good token gets as far as to be looked at as one:
/// to a stranger there are none here.
/// </summary>
internal static class SocketRequests
{
    // A ping after so long without anything to send, and so long for its answer.
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(LoopSocket.QuietMs);

    /// <summary>Opens a WebSocket, on which frames are carried until one side has enough.</summary>
    public static async Task AnswerAsync(HttpContext context, WebGate gate, WebRoute route)
    {
        uint? lane = route.Lane == 0 ? null : route.Lane;
        var kind = lane is null ? WebCarrier.WebSocket : WebCarrier.WebSocketLanes;
        if (Acceptor(context) is not { } accept
            || !gate.Settings.Carriers.Contains(kind)
            || gate.Sessions.Find(route.Token) is not { } entry
            || await entry.OpenSocketAsync(lane).ConfigureAwait(false) is not { } carrier)
        {
            CarrierAnswer.Refuse(context.Response);
            return;
        }

        var isTaken = false;
        try
        {
            // The router has seen that it is one entry, and whose.
            context.Response.Headers.SecWebSocketProtocol = context.Request.Headers.SecWebSocketProtocol.ToString().Trim(' ', '\t');
            var stream = await accept().ConfigureAwait(false);
            isTaken = await TryLeaveAsync(context, entry, carrier).ConfigureAwait(false);
            if (isTaken) return;
            isTaken = true;
            await StayAsync(context, stream, entry, carrier).ConfigureAwait(false);
        }
        finally
        {
            if (!isTaken) await entry.CloseSocketAsync(carrier).ConfigureAwait(false);
        }
    }

    // How a request for a WebSocket is answered with yes; null = it is none.
    private static Func<ValueTask<Stream>>? Acceptor(HttpContext context)
    {
        var (request, features) = (context.Request.Headers, context.Features);
        if (request.SecWebSocketVersion != "13") return null;
        if (features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true, Protocol: "websocket" } connect)
            return connect.AcceptAsync;
        if (features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade
            || !HttpMethods.IsGet(context.Request.Method)
            || !request.Upgrade.ToString().Equals("websocket", StringComparison.OrdinalIgnoreCase)
            || !WebSocketHandshake.IsKey(request.SecWebSocketKey.ToString()))
            return null;
        return () =>
        {
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.SecWebSocketAccept = WebSocketHandshake.Accept(request.SecWebSocketKey.ToString());
            return new(upgrade.UpgradeAsync());
        };
    }

    // A loop needs no web server to carry frames, nor its memory. But a connection of HTTP/2 has other requests too.
    private static async Task<bool> TryLeaveAsync(HttpContext context, WebEntry entry, SocketCarrier carrier)
    {
        if (!HttpProtocol.IsHttp11(context.Request.Protocol)
            || context.Features.Get<LoopConnection>() is not { } connection
            || !entry.CanTake(connection.Channel))
            return false;
        return await connection.TryLeaveAsync((channel, early) => entry.Take(channel, carrier, early)).ConfigureAwait(false);
    }

    private static async Task StayAsync(HttpContext context, Stream stream, WebEntry entry, SocketCarrier carrier)
    {
        // A socket may be silent for as long as it answers pings.
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        var options = new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = Quiet, KeepAliveTimeout = Quiet };
        WebSocket? given = null;
        // Also at an orderly end, whose last bytes are not to be lost.
        using var abortable = new AbortableStream(stream, () =>
        {
            if (given?.State == WebSocketState.Aborted) context.Abort();
        });
        using var socket = given = WebSocket.CreateFromStream(abortable, options);
        await new SocketConversation(socket, entry, carrier, context.Abort).RunAsync().ConfigureAwait(false);
    }
}
