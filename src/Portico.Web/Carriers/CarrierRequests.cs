using System.Net;
using Microsoft.AspNetCore.Http;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;

namespace Portico.Web.Carriers;

/// <summary>Requests with an authentic token. Whatever fails from here on is answered by us; nobody else ever sees these answers.</summary>
internal static class CarrierRequests
{
    /// <summary>Answers one.</summary>
    /// <param name="context">The request.</param>
    /// <param name="gate">The gate in force.</param>
    /// <param name="route">What the request is for.</param>
    /// <param name="client">Who asks.</param>
    public static Task AnswerAsync(HttpContext context, WebGate gate, WebRoute route, IPEndPoint client)
    {
        CarrierAnswer.Begin(context.Response);
        return route.Endpoint switch
        {
            WebEndpoint.CreateSession => SessionRequests.CreateAsync(context, gate, route.Token, client),
            WebEndpoint.DeleteSession => SessionRequests.DeleteAsync(context, gate, route.Token),
            WebEndpoint.Up => HttpsRequests.TakeAsync(context, gate, route.Token),
            WebEndpoint.Down => HttpsRequests.GiveAsync(context, gate, route.Token),
            _ => SocketRequests.AnswerAsync(context, gate, route),
        };
    }
}
