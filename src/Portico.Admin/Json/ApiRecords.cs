using System.Collections.Immutable;
using Portico.Core.Control;

namespace Portico.Admin.Json;

/// <summary>An error, as RFC 9457 has it.</summary>
/// <param name="Title">In a few words, always the same for the status.</param>
/// <param name="Status">The same as of the answer.</param>
/// <param name="Detail">What was wrong here, and what to do.</param>
/// <param name="Key">Which parameter, member of the body or key of the configuration; null = none.</param>
/// <param name="Errors">Of a configuration that was refused: all of them; null otherwise.</param>
/// <param name="Type">about:blank: the one that says no more than the status does.</param>
internal sealed record ProblemDocument(
    string Title, int Status, string Detail, string? Key = null, ImmutableArray<ReloadProblem>? Errors = null,
    string Type = "about:blank");

/// <summary>Whether the process serves.</summary>
/// <param name="Status">ok.</param>
internal sealed record HealthAnswer(string Status);

/// <summary>Whether new clients should come.</summary>
/// <param name="Ready">Whether.</param>
/// <param name="Reasons">Why not.</param>
internal sealed record ReadyAnswer(bool Ready, ImmutableArray<string> Reasons);

/// <summary>A session that was ended.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Ended">True.</param>
internal sealed record SessionEnd(string Id, bool Ended);

/// <summary>Values that shall come into a table, or go.</summary>
internal sealed record TableRequest
{
    /// <summary>What the values are; absent = what the rules look up in the table.</summary>
    public string? Key { get; init; }

    /// <summary>One of them.</summary>
    public string? Value { get; init; }

    /// <summary>More of them.</summary>
    public ImmutableArray<string>? Values { get; init; }
}

/// <summary>What shall be logged for a time.</summary>
internal sealed record LogLevelRequest
{
    /// <summary>Of what: cover, admission, telegram and the like, or the beginning of a category's name; absent = everything.</summary>
    public string? Category { get; init; }

    /// <summary>trace, debug, info, warn or error.</summary>
    public string? Level { get; init; }

    /// <summary>For so long; absent = ten minutes.</summary>
    public int? Seconds { get; init; }
}

/// <summary>What is logged for a time.</summary>
/// <param name="Category">Of what; null = everything.</param>
/// <param name="Level">The least that is written.</param>
/// <param name="Was">The same before, and afterwards.</param>
/// <param name="Until">When it falls back.</param>
internal sealed record LogLevelAnswer(string? Category, string Level, string Was, DateTimeOffset Until);

/// <summary>A reader of events was too slow.</summary>
/// <param name="Count">Events that it did not get.</param>
internal sealed record LostEvents(long Count);
