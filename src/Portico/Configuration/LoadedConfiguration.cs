using System.Text.Json;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>A configuration after file, environment and flags were put together and checked.</summary>
/// <param name="Options">As written, with every default filled in.</param>
/// <param name="Settings">Null if there is any error.</param>
/// <param name="Errors">Everything that is wrong.</param>
/// <param name="Warnings">Everything that is unwise.</param>
internal sealed record LoadedConfiguration(
    ProxyOptions Options, ProxySettings? Settings,
    IReadOnlyList<ConfigurationError> Errors, IReadOnlyList<ConfigurationError> Warnings)
{
    /// <summary>Puts together and checks. Never throws: what is wrong is in the result.</summary>
    /// <param name="text">The file.</param>
    /// <param name="baseDirectory">Where relative paths start.</param>
    /// <param name="overrides">In order: the last one counts.</param>
    public static LoadedConfiguration Load(string text, string baseDirectory, IEnumerable<Override> overrides)
    {
        var errors = new List<ConfigurationError>();
        var root = ConfigurationText.Read(text, errors);
        // A file that cannot be read at all would only produce complaints about everything it lacks.
        if (errors.Exists(error => error.Key.Length == 0))
            return new(new ProxyOptions(), null, errors, []);

        var overlay = new Overlay(errors);
        foreach (var wanted in overrides) overlay.Apply(root, wanted);

        var tree = new OptionTree(errors);
        tree.Prune(root);
        var options = root.Deserialize(ProxyOptions.TypeInfo)!;
        var parsed = ProxyOptionsParser.Parse(options, baseDirectory);
        errors.AddRange(parsed.Errors.Where(error => !tree.IsReported(error.Key)));
        return new(
            options, errors.Count == 0 ? parsed.Settings : null,
            [.. errors.Select(WithOrigin)], [.. parsed.Warnings.Select(WithOrigin)]);

        ConfigurationError WithOrigin(ConfigurationError error) =>
            overlay.OriginOf(error.Key) is { } origin ? error with { Problem = $"{error.Problem} (set by {origin})" } : error;
    }
}
