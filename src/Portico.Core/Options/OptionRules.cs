using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace Portico.Core.Options;

/// <summary>
/// The rules that stand in <see cref="OptionAttribute"/>:
/// ranges of numbers and lists of allowed texts, checked for every key in one walk.
/// </summary>
internal static class OptionRules
{
    /// <summary>Checks <paramref name="node"/>, which has the shape of <paramref name="type"/>.</summary>
    public static void Check(JsonTypeInfo type, JsonNode? node, string path, ICollection<ConfigurationError> errors)
    {
        if (node is JsonArray list && type.ElementType is { } element)
        {
            for (var i = 0; i < list.Count; i++) Check(type.Options.GetTypeInfo(element), list[i], $"{path}[{i}]", errors);
        }

        if (node is not JsonObject section || type.Kind != JsonTypeInfoKind.Object) return;
        foreach (var property in type.Properties)
        {
            var key = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            var value = section[property.Name];
            if (OptionAttribute.Of(property) is { } option)
                CheckValue(option, property, value, key, errors);
            Check(type.Options.GetTypeInfo(property.PropertyType), value, key, errors);
        }
    }

    private static void CheckValue(
        OptionAttribute option, JsonPropertyInfo property, JsonNode? value, string key, ICollection<ConfigurationError> errors)
    {
        switch (value)
        {
            case JsonArray list when option.OneOf.Length > 0:
                for (var i = 0; i < list.Count; i++) CheckText(option, property.Name, list[i], $"{key}[{i}]", errors);
                break;
            case JsonValue text when option.OneOf.Length > 0:
                CheckText(option, property.Name, text, key, errors);
                break;
            case JsonValue number when HasRange(option) && number.GetValueKind() == JsonValueKind.Number
                && number.GetValue<int>() is var wanted
                && (wanted < option.Minimum || wanted > option.Maximum):
                errors.Add(new(key, $"{wanted} is outside {option.Minimum}..{option.Maximum}; "
                    + $"for example \"{property.Name}\": {OptionAttribute.ExampleOf(property)}"));
                break;
        }
    }

    private static bool HasRange(OptionAttribute option) => option.Minimum != int.MinValue || option.Maximum != int.MaxValue;

    private static void CheckText(OptionAttribute option, string name, JsonNode? value, string key, ICollection<ConfigurationError> errors)
    {
        var text = value?.GetValue<string>() ?? "";
        if (option.OneOf.Contains(text, StringComparer.Ordinal)) return;
        var allowed = string.Join(", ", option.OneOf.Select(one => $"\"{one}\""));
        var meant = DidYouMean.Closest(text, option.OneOf) is { } closest
            ? $"did you mean \"{closest}\"?"
            : $"for example \"{name}\": {option.Example ?? $"\"{option.OneOf[0]}\""}";
        errors.Add(new(key, $"{ShownText.Quote(text)} is not one of {allowed}; {meant}"));
    }
}
