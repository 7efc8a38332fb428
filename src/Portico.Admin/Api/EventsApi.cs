using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Portico.Admin.Json;
using Portico.Core.Diagnostics;

namespace Portico.Admin.Api;

/// <summary>What happens, as a stream of server-sent events.</summary>
/// <param name="host">The proxy.</param>
/// <param name="heartbeat">Between two signs of life while nothing happens.</param>
/// <param name="stopping">The server stops: streams would keep it.</param>
internal sealed class EventsApi(AdminHost host, TimeSpan heartbeat, CancellationToken stopping)
{
    // Events that are written before the reader's connection is looked at again.
    private const int MostAtOnce = 100;

    public ImmutableArray<Operation> Operations =>
    [
        new("GET", "/api/events", "events",
            "What happens from now on: sessions that open and close, reloads, what the log says above debug.", StreamAsync)
        {
            ContentType = "text/event-stream",
            Errors = [(StatusCodes.Status503ServiceUnavailable, "There are too many readers")],
        },
    ];

    private async Task<Answer> StreamAsync(HttpContext context)
    {
        if (!host.Control.Events.TryRead(out var reader))
        {
            return Answer.Problem(
                StatusCodes.Status503ServiceUnavailable, $"there are {EventFeed.MostReaders} readers of events already");
        }

        using (reader)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            context.Response.ContentType = "text/event-stream";
            try
            {
                await WriteAsync(context, "retry: 5000\n\n"u8.ToArray(), end.Token).ConfigureAwait(false);
                while (true) await PassOnAsync(context, reader, end.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                return Answer.Written; // one of the two has had enough
            }
        }
    }

    private async Task PassOnAsync(HttpContext context, EventReader reader, CancellationToken end)
    {
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(end);
        pause.CancelAfter(heartbeat);
        try
        {
            await reader.WaitAsync(pause.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!end.IsCancellationRequested)
        {
            await WriteAsync(context, ": still here\n\n"u8.ToArray(), end).ConfigureAwait(false);
            return;
        }

        var text = new ArrayBufferWriter<byte>();
        if (reader.TakeLost() is > 0 and var lost)
            Add(text, "lost", new LostEvents(lost), AdminJson.Default.LostEvents);
        for (var count = 0; count < MostAtOnce && reader.TryTake(out var happened); count++)
            Add(text, happened.Type, happened, SparseJson.Default.ProxyEvent);
        await WriteAsync(context, text.WrittenMemory, end).ConfigureAwait(false);
    }

    private static void Add<T>(ArrayBufferWriter<byte> text, string type, T value, JsonTypeInfo<T> shape)
    {
        text.Write(Encoding.UTF8.GetBytes($"event: {type}\ndata: "));
        using (var json = new Utf8JsonWriter(text)) JsonSerializer.Serialize(json, value, shape);
        text.Write("\n\n"u8);
    }

    private static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> text, CancellationToken end)
    {
        await context.Response.Body.WriteAsync(text, end).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(end).ConfigureAwait(false);
    }
}
