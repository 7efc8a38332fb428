using System.Collections;
using System.Text.Json.Serialization.Metadata;

namespace Portico.Core.Options;

/// <summary>
/// The rules that stand in <see cref="OptionAttribute"/>:
/// ranges of numbers and lists of allowed texts, checked for every key in one walk.
/// </summary>
internal static class OptionRules
{
    /// <summary>
    /// Checks <paramref name="section"/> and all sections in it. Without writing them out, as there may be very many users.
    /// </summary>
    /// <param name="type">Of the section.</param>
    /// <param name="section">As it was read.</param>
    /// <param name="path">Of the section, for errors; empty for the whole.</param>
    /// <param name="errors">What is wrong is added here.</param>
    public static void Check(JsonTypeInfo type, object section, string path, ICollection<ConfigurationError> errors)
    {
        foreach (var property in type.Properties)
        {
            if (property.Get?.Invoke(section) is not { } value) continue;
            var (option, inner) = (OptionAttribute.Of(property), type.Options.GetTypeInfo(property.PropertyType));
            if (option is not null && (HasRange(option) || option.OneOf.Length > 0))
                CheckValue(option, property, value, KeyOf(property), errors);
            if (inner.Kind == JsonTypeInfoKind.Object)
                Check(inner, value, KeyOf(property), errors);
            else if (inner.ElementType is { } element && value is IList list)
                CheckAll(type.Options.GetTypeInfo(element), list, KeyOf(property), errors);
        }

        string KeyOf(JsonPropertyInfo property) => path.Length == 0 ? property.Name : $"{path}.{property.Name}";
    }

    private static void CheckAll(JsonTypeInfo element, IList list, string key, ICollection<ConfigurationError> errors)
    {
        if (element.Kind != JsonTypeInfoKind.Object) return;
        for (var i = 0; i < list.Count; i++)
        {
            if (list[i] is { } section) Check(element, section, $"{key}[{i}]", errors);
        }
    }

    private static void CheckValue(
        OptionAttribute option, JsonPropertyInfo property, object value, string key, ICollection<ConfigurationError> errors)
    {
        switch (value)
        {
            case string[] list when option.OneOf.Length > 0:
                for (var i = 0; i < list.Length; i++) CheckText(option, property.Name, list[i], $"{key}[{i}]", errors);
                break;
            case string text when option.OneOf.Length > 0:
                CheckText(option, property.Name, text, key, errors);
                break;
            case int number when number < option.Minimum || number > option.Maximum:
                errors.Add(new(key, $"{number} is outside {option.Minimum}..{option.Maximum}; "
                    + $"for example \"{property.Name}\": {OptionAttribute.ExampleOf(property)}"));
                break;
        }
    }

    private static bool HasRange(OptionAttribute option) => option.Minimum != int.MinValue || option.Maximum != int.MaxValue;

    private static void CheckText(OptionAttribute option, string name, string? text, string key, ICollection<ConfigurationError> errors)
    {
        text ??= "";
        if (option.OneOf.Contains(text, StringComparer.Ordinal)) return;
        var allowed = string.Join(", ", option.OneOf.Select(one => $"\"{one}\""));
        var meant = DidYouMean.Closest(text, option.OneOf) is { } closest
            ? $"did you mean \"{closest}\"?"
            : $"for example \"{name}\": {option.Example ?? $"\"{option.OneOf[0]}\""}";
        errors.Add(new(key, $"{ShownText.Quote(text)} is not one of {allowed}; {meant}"));
    }
}
