using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>
/// Compares what was written with the shape of <see cref="ProxyOptions"/>: unknown keys, wrong types.
/// What does not fit is taken out of the tree, so that the rest can be read and checked too,
/// and its path is remembered, so that nobody complains about its absence.
/// </summary>
internal sealed class OptionTree(List<ConfigurationError> errors)
{
    private readonly List<string> _reported = [];

    /// <summary>Whether an error about <paramref name="path"/> would only repeat one that was found here.</summary>
    public bool IsReported(string path) => _reported.Exists(reported => KeyPath.IsWithin(path, reported));

    /// <summary>Prunes <paramref name="root"/> until it can be read as <see cref="ProxyOptions"/>.</summary>
    public void Prune(JsonObject root) => PruneSection(ProxyOptions.TypeInfo, root, "");

    private void PruneSection(JsonTypeInfo type, JsonObject section, string path)
    {
        foreach (var (key, value) in section.ToArray())
        {
            var keyPath = KeyPath.Of(path, key);
            var property = type.Properties.FirstOrDefault(property => property.Name == key);
            if (property is null)
            {
                ReportUnknown(type, section, path, key);
                section.Remove(key);
                continue;
            }

            var example = $"for example \"{key}\": {OptionAttribute.ExampleOf(property)}";
            if (!Fits(type.Options.GetTypeInfo(property.PropertyType), property.IsSetNullable, value, keyPath, example))
                section.Remove(key);
        }
    }

    private void ReportUnknown(JsonTypeInfo type, JsonObject section, string path, string key)
    {
        var known = type.Properties.Select(property => property.Name).Where(name => !name.StartsWith('$')).ToArray();
        var meant = DidYouMean.Closest(key, known);
        errors.Add(new(
            KeyPath.Of(path, key),
            meant is null ? $"unknown key; known here: {string.Join(", ", known)}" : $"unknown key; did you mean \"{meant}\"?"));
        if (meant is not null && !section.ContainsKey(meant))
            _reported.Add(KeyPath.Of(path, meant));
    }

    private bool Fits(JsonTypeInfo type, bool nullable, JsonNode? node, string path, string example)
    {
        switch (node, type.Kind)
        {
            case (null, _) when nullable:
                return true;
            case (JsonObject section, JsonTypeInfoKind.Object):
                PruneSection(type, section, path);
                return true;
            case (JsonObject entries, JsonTypeInfoKind.Dictionary):
                foreach (var (key, value) in entries.ToArray())
                {
                    if (!Fits(type.Options.GetTypeInfo(type.ElementType!), nullable: false, value, KeyPath.Of(path, key), example))
                        entries.Remove(key);
                }

                return true;
            case (JsonArray list, JsonTypeInfoKind.Enumerable):
                var element = type.Options.GetTypeInfo(type.ElementType!);
                for (var i = 0; i < list.Count; i++)
                {
                    // A stand-in keeps the places of the others.
                    if (!Fits(element, nullable: false, list[i], KeyPath.Of(path, i), example))
                        list[i] = element.Kind == JsonTypeInfoKind.Object ? new JsonObject() : JsonValue.Create("");
                }

                return true;
            case (JsonValue value, JsonTypeInfoKind.None) when IsOf(type.Type, value):
                return true;
            case (JsonValue number, JsonTypeInfoKind.None) when number.GetValueKind() == JsonValueKind.Number
                && (type.Type == typeof(int) || type.Type == typeof(int?)):
                errors.Add(new(path, $"must be a whole number of at most {int.MaxValue}; {example}"));
                _reported.Add(path);
                return false;
            default:
                // Only the kind of what was written is named: the value may be a secret.
                errors.Add(new(path, $"must be {OptionTypes.NameOf(type)}, not {NameOf(node)}; {example}"));
                _reported.Add(path);
                return false;
        }
    }

    private static bool IsOf(Type type, JsonValue value) => value.GetValueKind() switch
    {
        JsonValueKind.String or JsonValueKind.Number when OptionTypes.IsByteSize(type) => true,
        JsonValueKind.String => type == typeof(string),
        JsonValueKind.True or JsonValueKind.False => type == typeof(bool),
        JsonValueKind.Number => (type == typeof(int) || type == typeof(int?)) && value.TryGetValue<int>(out _),
        _ => false,
    };

    private static string NameOf(JsonNode? node) => node?.GetValueKind() switch
    {
        null => "null",
        JsonValueKind.Object => "a section",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "text",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };
}
