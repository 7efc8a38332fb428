using Portico.Core.Control;
using Portico.Core.Options;

namespace Portico.Reload;

/// <summary>How a reload went.</summary>
internal enum ReloadResult
{
    /// <summary>Nothing differs.</summary>
    Unchanged,

    /// <summary>All of it is in force.</summary>
    Applied,

    /// <summary>In force, but for keys that wait for a start.</summary>
    Partial,

    /// <summary>Nothing was changed: there are errors.</summary>
    Refused,
}

/// <summary>What a reload did.</summary>
/// <param name="Result">In one word.</param>
/// <param name="Changes">The keys that differ; none if it was refused.</param>
/// <param name="Errors">Why it was refused, all of it.</param>
/// <param name="Warnings">What is unwise.</param>
internal sealed record ReloadReport(
    ReloadResult Result, IReadOnlyList<OptionChange> Changes, IReadOnlyList<ConfigurationError> Errors,
    IReadOnlyList<ConfigurationError> Warnings)
{
    /// <summary>The label in metrics and JSON.</summary>
    public string Tag => Result switch
    {
        ReloadResult.Unchanged => "unchanged",
        ReloadResult.Applied => "applied",
        ReloadResult.Partial => "partial",
        _ => "refused",
    };

    /// <summary>The same for whoever asked from outside.</summary>
    public ReloadOutcome ToOutcome() => new(
        Tag, [.. Changes.Select(change => new ReloadChange(change.Key, change.TakesEffect))],
        [.. Errors.Select(error => new ReloadProblem(error.Key, error.Problem))],
        [.. Warnings.Select(warning => new ReloadProblem(warning.Key, warning.Problem))]);

    public static ReloadReport Refused(IReadOnlyList<ConfigurationError> errors) => new(ReloadResult.Refused, [], errors, []);
}
