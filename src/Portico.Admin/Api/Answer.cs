using System.Collections.Immutable;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Portico.Admin.Json;
using Portico.Core.Control;

namespace Portico.Admin.Api;

/// <summary>What a request gets.</summary>
internal abstract record Answer
{
    /// <summary>It was written already.</summary>
    public static Answer Written { get; } = new WrittenAnswer();

    /// <summary>A value as JSON.</summary>
    public static Answer Json<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        new JsonAnswer<T>(value, type, status);

    /// <summary>Bytes as they are.</summary>
    public static Answer Bytes(byte[] bytes, string contentType) => new BytesAnswer(bytes, contentType);

    /// <summary>Nothing but a status.</summary>
    public static Answer Empty(int status) => new EmptyAnswer(status);

    /// <summary>The caller has it already.</summary>
    public static Answer NotModified { get; } = new EmptyAnswer(StatusCodes.Status304NotModified);

    /// <summary>A text that is JSON.</summary>
    public static Answer RawJson(string text) => new RawAnswer(text);

    /// <summary>An error.</summary>
    /// <param name="status">Of HTTP.</param>
    /// <param name="detail">What was wrong, and what to do.</param>
    /// <param name="key">What it was about.</param>
    /// <param name="errors">Of a configuration that was refused.</param>
    public static Answer Problem(int status, string detail, string? key = null, ImmutableArray<ReloadProblem>? errors = null) =>
        new JsonAnswer<ProblemDocument>(
            new ProblemDocument(ReasonPhrases.GetReasonPhrase(status), status, detail, key, errors),
            SparseJson.Default.ProblemDocument, status, "application/problem+json");

    /// <summary>Writes it.</summary>
    public abstract Task WriteAsync(HttpContext context);

    private sealed record JsonAnswer<T>(T Value, JsonTypeInfo<T> Type, int Status, string ContentType = "application/json") : Answer
    {
        public override Task WriteAsync(HttpContext context)
        {
            context.Response.StatusCode = Status;
            return context.Response.WriteAsJsonAsync(Value, Type, ContentType, context.RequestAborted);
        }
    }

    private sealed record RawAnswer(string Text) : Answer
    {
        public override Task WriteAsync(HttpContext context)
        {
            context.Response.ContentType = "application/json";
            return context.Response.WriteAsync(Text, context.RequestAborted);
        }
    }

    private sealed record BytesAnswer(byte[] Content, string ContentType) : Answer
    {
        public override Task WriteAsync(HttpContext context)
        {
            context.Response.ContentType = ContentType;
            context.Response.ContentLength = Content.Length;
            return context.Response.Body.WriteAsync(Content, context.RequestAborted).AsTask();
        }
    }

    private sealed record EmptyAnswer(int Status) : Answer
    {
        public override Task WriteAsync(HttpContext context)
        {
            context.Response.StatusCode = Status;
            return Task.CompletedTask;
        }
    }

    private sealed record WrittenAnswer : Answer
    {
        public override Task WriteAsync(HttpContext context) => Task.CompletedTask;
    }
}
