using System.Buffers;
using System.Net;
using Microsoft.AspNetCore.Http;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;

namespace Portico.Web.Carriers;

/// <summary>Sessions begin and end.</summary>
internal static class SessionRequests
{
    // HELLO has nine; more is read than that only to see that it is something else.
    private const int MostBody = 64;

    private static readonly byte[] Welcome = WebFrame.Welcome.ToArray();

    /// <summary>A page's token becomes a session, whose WELCOME is the answer.</summary>
    public static async Task CreateAsync(HttpContext context, WebGate gate, WebToken page, IPEndPoint client)
    {
        var response = context.Response;
        if (!RequestBody.IsOctets(context.Request) || !await IsHelloAsync(context).ConfigureAwait(false))
        {
            CarrierAnswer.Refuse(response);
            return;
        }

        var created = gate.Sessions.Create(page, client);
        if (created.Token is null)
        {
            if (created.IsOverLimit) CarrierAnswer.Again(response, gate.Sessions.Report);
            else CarrierAnswer.Refuse(response);
            return;
        }

        response.Headers[CarrierAnswer.SessionToken] = created.Token;
        response.Headers[CarrierAnswer.Mode] = CarrierMode.Of(gate.Settings).Tag();
        response.Headers[CarrierAnswer.DownCursor] = "0";
        await CarrierAnswer.WriteAsync(response, Welcome).ConfigureAwait(false);
    }

    /// <summary>An app ends its session. It hears the same again for a while, as the first answer may have been lost.</summary>
    public static async Task DeleteAsync(HttpContext context, WebGate gate, WebToken session)
    {
        if (context.Request.Headers.ContentType.Count > 0 || !await RequestBody.IsEmptyAsync(context).ConfigureAwait(false))
        {
            CarrierAnswer.Refuse(context.Response);
            return;
        }

        var entry = gate.Sessions.Find(session);
        if (entry is not null) await entry.EndAsync(WebEnd.Deleted).ConfigureAwait(false);
        if (entry is not null || gate.Sessions.HasEnded(session))
            CarrierAnswer.Done(context.Response);
        else CarrierAnswer.Refuse(context.Response);
    }

    private static async Task<bool> IsHelloAsync(HttpContext context)
    {
        if (await RequestBody.TryReadAsync(context, MostBody).ConfigureAwait(false) is not { } body)
            return false;
        var isHello = body.Length == WebFrame.Hello.Length && body.ToArray().AsSpan().SequenceEqual(WebFrame.Hello);
        RequestBody.Release(context, body);
        return isHello;
    }
}
