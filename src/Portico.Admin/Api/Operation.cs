using System.Collections.Immutable;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Portico.Admin.Api;

/// <summary>Who may call an operation over TCP; over the unix socket everybody may who can open it.</summary>
internal enum MayCall
{
    /// <summary>Who brings the token.</summary>
    Token,

    /// <summary>Besides, everybody on this machine.</summary>
    Metrics,

    /// <summary>Everybody.</summary>
    Public,
}

/// <summary>
/// One thing that the interface can do. Routes, access and the OpenAPI document are all made of this: they cannot differ.
/// </summary>
/// <param name="Method">Of HTTP.</param>
/// <param name="Pattern">The path, with parameters in braces.</param>
/// <param name="Id">Its name in the document.</param>
/// <param name="Summary">What it does, in a sentence.</param>
/// <param name="Run">Does it; null = something else answers there.</param>
internal sealed record Operation(string Method, string Pattern, string Id, string Summary, Func<HttpContext, Task<Answer>>? Run)
{
    /// <summary>Who may.</summary>
    public MayCall MayCall { get; init; }

    /// <summary>In the path and the query.</summary>
    public ImmutableArray<Parameter> Parameters { get; init; } = [];

    /// <summary>Shape of the body; null = none is read.</summary>
    public JsonTypeInfo? Body { get; init; }

    /// <summary>Shape of the answer; null = it is free, or no JSON.</summary>
    public JsonTypeInfo? Answers { get; init; }

    /// <summary>Of the answer.</summary>
    public string ContentType { get; init; } = "application/json";

    /// <summary>It stands in the document: the others are pages for people.</summary>
    public bool IsDescribed { get; init; } = true;

    /// <summary>Bytes that a body may have.</summary>
    public int MostBody { get; init; } = AdminServer.MostBody;

    /// <summary>Errors besides those that every operation may answer with.</summary>
    public ImmutableArray<(int Status, string Meaning)> Errors { get; init; } = [];
}

/// <summary>A parameter of an operation.</summary>
/// <param name="Name">As it is written.</param>
/// <param name="Meaning">What it says.</param>
/// <param name="IsInPath">Else it is in the query, and may be absent.</param>
/// <param name="IsNumber">Else it is text.</param>
internal sealed record Parameter(string Name, string Meaning, bool IsInPath = false, bool IsNumber = false);
