using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>Lays overrides over the tree that was read from the file.</summary>
internal sealed class Overlay(List<ConfigurationError> errors)
{
    private readonly Dictionary<string, string> _origins = [];

    /// <summary>Which flag or variable set <paramref name="path"/> or something around it; null = the file did.</summary>
    public string? OriginOf(string path) => _origins.FirstOrDefault(entry => KeyPath.IsWithin(path, entry.Key)).Value;

    /// <summary>Sets one value.</summary>
    public void Apply(JsonObject root, Override wanted) => Set(ProxyOptions.TypeInfo, root, wanted, 0, "");

    private JsonNode? Set(JsonTypeInfo type, JsonNode? node, Override wanted, int depth, string path)
    {
        if (depth == wanted.Segments.Length) return Leaf(type, node, wanted, path);
        var segment = wanted.Segments[depth];
        switch (type.Kind)
        {
            case JsonTypeInfoKind.Object when type.Properties.FirstOrDefault(IsNamed) is { } property:
                return SetMember(node as JsonObject ?? [], property.Name, type.Options.GetTypeInfo(property.PropertyType));
            case JsonTypeInfoKind.Dictionary:
                return SetMember(node as JsonObject ?? [], segment, type.Options.GetTypeInfo(type.ElementType!));
            case JsonTypeInfoKind.Enumerable when int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out var index):
                var list = node as JsonArray ?? [];
                if (index > list.Count)
                    return Refuse(list, wanted, $"position {index} leaves a gap: the next one in {path} is {list.Count}");
                if (index == list.Count) list.Add((JsonNode?)null);
                var element = Set(type.Options.GetTypeInfo(type.ElementType!), list[index], wanted, depth + 1, KeyPath.Of(path, index));
                if (!ReferenceEquals(element, list[index])) list[index] = element;
                return list;
            case JsonTypeInfoKind.Object:
                var meant = DidYouMean.Closest(segment, KnownKeys(type));
                var before = wanted.Segments[..depth];
                return Refuse(node, wanted, meant is null
                    ? $"sets an unknown key; known here: {string.Join(", ", KnownKeys(type))}"
                    : $"sets an unknown key; did you mean {Override.VariableOf([.. before, meant])}?");
            default:
                return Refuse(node, wanted, $"{ShownText.Quote(segment)} cannot stand there: "
                    + $"{(path.Length == 0 ? "the configuration" : path)} is {OptionTypes.NameOf(type)}");
        }

        bool IsNamed(JsonPropertyInfo property) => property.Name.Equals(segment, StringComparison.OrdinalIgnoreCase);

        JsonObject SetMember(JsonObject section, string name, JsonTypeInfo memberType)
        {
            var old = section[name];
            var value = Set(memberType, old, wanted, depth + 1, KeyPath.Of(path, name));
            if (!ReferenceEquals(value, old)) section[name] = value;
            return section;
        }
    }

    // Without $schema, which is for editors.
    private static IEnumerable<string> KnownKeys(JsonTypeInfo type) =>
        type.Properties.Select(property => property.Name).Where(name => !name.StartsWith('$'));

    private JsonNode? Leaf(JsonTypeInfo type, JsonNode? old, Override wanted, string path)
    {
        JsonNode? value = type.Kind switch
        {
            JsonTypeInfoKind.None when type.Type == typeof(string) => wanted.Text,
            JsonTypeInfoKind.None when OptionTypes.IsByteSize(type.Type) => wanted.Text,
            JsonTypeInfoKind.None when type.Type == typeof(bool) => bool.TryParse(wanted.Text, out var flag) ? flag : null,
            JsonTypeInfoKind.None =>
                int.TryParse(wanted.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : null,
            JsonTypeInfoKind.Enumerable when type.ElementType == typeof(string) =>
                new JsonArray([.. wanted.Text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Select(text => (JsonNode)text)]),
            _ => null,
        };
        if (value is null)
            return Refuse(old, wanted, type.Kind == JsonTypeInfoKind.None
                ? $"{path} must be {OptionTypes.NameOf(type)}"
                : $"{path} is {OptionTypes.NameOf(type)}; set what is inside it");
        _origins[path] = wanted.Origin;
        return value;
    }

    private JsonNode? Refuse(JsonNode? unchanged, Override wanted, string problem)
    {
        errors.Add(new(wanted.Origin, problem));
        return unchanged;
    }
}
