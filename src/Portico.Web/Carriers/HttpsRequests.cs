using Microsoft.AspNetCore.Http;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;

namespace Portico.Web.Carriers;

/// <summary>Frames up in the bodies of requests, and down in those of answers; for a session or for one lane of it.</summary>
internal static class HttpsRequests
{
    private static readonly byte[] TrialHalf = new byte[64];

    private static readonly TimeSpan TrialPause = TimeSpan.FromSeconds(1);

    private delegate bool ReadHeader<T>(ReadOnlySpan<char> text, out T value);

    /// <summary>Takes frames of an app's.</summary>
    public static async Task TakeAsync(HttpContext context, WebGate gate, WebToken token)
    {
        if (!RequestBody.IsOctets(context.Request)
            || !TryRead<ulong>(context.Request, CarrierAnswer.UpNumber, WebHeaderValue.TryReadNumber, out var given)
            || given is not { } number
            || Find(context.Request, gate, token, out var lane) is not { } entry)
        {
            CarrierAnswer.Refuse(context.Response);
            return;
        }

        if (!entry.TryBeginBody())
        {
            gate.Sessions.Report.Refused("bodies");
            CarrierAnswer.Again(context.Response, gate.Sessions.Report);
            return;
        }

        try
        {
            await TakeAsync(context, gate, entry, number, lane).ConfigureAwait(false);
        }
        finally
        {
            entry.EndBody();
        }
    }

    private static async Task TakeAsync(HttpContext context, WebGate gate, WebEntry entry, ulong number, uint? lane)
    {
        if (await RequestBody.TryReadAsync(context, WebBatchReader.MaxLength).ConfigureAwait(false) is not { } body)
        {
            CarrierAnswer.Refuse(context.Response);
            return;
        }

        // Its bytes stay where they are until the session has taken or refused them.
        var answer = await entry.PostAsync(number, lane, body, context.RequestAborted).ConfigureAwait(false);
        RequestBody.Release(context, body);
        if (answer.Kind == WebAnswerKind.Done)
            context.Response.Headers[CarrierAnswer.UpDone] = CarrierAnswer.Text(answer.Number);
        Finish(context.Response, answer, gate.Sessions.Report);
    }

    /// <summary>Gives an app frames, as soon as there are some.</summary>
    public static async Task GiveAsync(HttpContext context, WebGate gate, WebToken token)
    {
        if (context.Request.Headers.ContainsKey(CarrierAnswer.DownTrial))
        {
            await TryOutAsync(context, gate, token).ConfigureAwait(false);
            return;
        }

        if (context.Request.Headers.ContentType.Count > 0
            || !TryRead<ulong>(context.Request, CarrierAnswer.DownCursor, WebHeaderValue.TryReadNumber, out var given)
            || given is not { } cursor
            || Find(context.Request, gate, token, out var lane) is not { } entry
            || !await RequestBody.IsEmptyAsync(context).ConfigureAwait(false))
        {
            CarrierAnswer.Refuse(context.Response);
            return;
        }

        var answer = await entry.AskAsync(cursor, lane, context.RequestAborted).ConfigureAwait(false);
        if (answer.Kind is WebAnswerKind.Done or WebAnswerKind.Batch)
            context.Response.Headers[CarrierAnswer.DownCursor] = CarrierAnswer.Text(answer.Number);
        if (answer.IsLaneClosed) context.Response.Headers[CarrierAnswer.LaneClosed] = "1";
        if (answer.Batch is not { } batch)
        {
            Finish(context.Response, answer, gate.Sessions.Report);
            return;
        }

        try
        {
            await CarrierAnswer.WriteAsync(context.Response, batch.Bytes).ConfigureAwait(false);
        }
        finally
        {
            batch.Release();
        }
    }

    // For the doctor: a second lies between the halves of this answer, unless somebody on the way keeps the first. They are no frames.
    private static async Task TryOutAsync(HttpContext context, WebGate gate, WebToken token)
    {
        if (gate.Sessions.Find(token) is null || !await RequestBody.IsEmptyAsync(context).ConfigureAwait(false))
        {
            CarrierAnswer.Refuse(context.Response);
            return;
        }

        context.Response.ContentType = CarrierAnswer.Octets;
        context.Response.ContentLength = 2 * TrialHalf.Length;
        await context.Response.BodyWriter.WriteAsync(TrialHalf).ConfigureAwait(false);
        await Task.Delay(TrialPause, context.RequestAborted).ConfigureAwait(false);
        await context.Response.BodyWriter.WriteAsync(TrialHalf).ConfigureAwait(false);
    }

    private static void Finish(HttpResponse response, WebAnswer answer, WebReport report)
    {
        if (answer.Kind == WebAnswerKind.Done) CarrierAnswer.Done(response);
        else if (answer.Kind == WebAnswerKind.Again) CarrierAnswer.Again(response, report);
        else CarrierAnswer.Refuse(response);
    }

    // Null if there is no such session, or it may not be used in this way.
    private static WebEntry? Find(HttpRequest request, WebGate gate, WebToken token, out uint? lane)
    {
        if (!TryRead(request, CarrierAnswer.Lane, WebHeaderValue.TryReadLane, out lane))
            return null;
        var carrier = lane is null ? WebCarrier.Https : WebCarrier.HttpsLanes;
        return gate.Settings.Carriers.Contains(carrier) ? gate.Sessions.Find(token) : null;
    }

    // Null without such a header; false with several, or with something else in it.
    private static bool TryRead<T>(HttpRequest request, string name, ReadHeader<T> read, out T? value)
        where T : struct
    {
        value = null;
        var values = request.Headers[name];
        if (values.Count == 0) return true;
        if (values.Count > 1 || !read(values[0], out var number)) return false;
        value = number;
        return true;
    }
}
