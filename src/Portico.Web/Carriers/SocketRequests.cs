using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.AspNetCore.WebSockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;

namespace Portico.Web.Carriers;

/// <summary>
/// WebSockets, over HTTP/1.1 (RFC 6455) and HTTP/2 (RFC 8441). Only a request with a good token gets as far as to be looked at as one:
/// to a stranger there are none here.
/// </summary>
internal sealed class SocketRequests
{
    // A ping after so long without anything to send, and so long for its answer.
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(25);

    private readonly WebSocketMiddleware _handshakes = new(
        _ => Task.CompletedTask,
        Options.Create(new WebSocketOptions { KeepAliveInterval = Quiet, KeepAliveTimeout = Quiet }),
        NullLoggerFactory.Instance);

    /// <summary>Opens a WebSocket and carries frames on it until one side has enough.</summary>
    public async Task AnswerAsync(HttpContext context, WebGate gate, WebRoute route)
    {
        uint? lane = route.Lane == 0 ? null : route.Lane;
        var kind = lane is null ? WebCarrier.WebSocket : WebCarrier.WebSocketLanes;
        await _handshakes.Invoke(context).ConfigureAwait(false);
        if (!context.WebSockets.IsWebSocketRequest
            || !gate.Settings.Carriers.Contains(kind)
            || gate.Sessions.Find(route.Token) is not { } entry
            || await entry.OpenSocketAsync(lane).ConfigureAwait(false) is not { } carrier)
        {
            CarrierAnswer.Refuse(context.Response);
            return;
        }

        WebSocket? socket = null;
        try
        {
            // A socket may be silent for as long as it answers pings.
            if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
                rate.MinDataRate = null;
            // The router has seen that it is one entry, and whose.
            var name = context.Request.Headers.SecWebSocketProtocol.ToString().Trim(' ', '\t');
            socket = await context.WebSockets.AcceptWebSocketAsync(name).ConfigureAwait(false);
        }
        finally
        {
            if (socket is null) await entry.CloseSocketAsync(carrier, lane).ConfigureAwait(false);
        }

        using (socket)
            await new SocketConversation(socket, entry, carrier, lane, context.Abort).RunAsync().ConfigureAwait(false);
    }
}
