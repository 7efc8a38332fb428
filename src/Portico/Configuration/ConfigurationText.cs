using System.Text.Json;
using System.Text.Json.Nodes;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>Reads JSON with comments and trailing commas into a tree, and notices keys that are written twice.</summary>
internal static class ConfigurationText
{
    private static readonly JsonDocumentOptions Syntax = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>The tree; an empty one after an error.</summary>
    public static JsonObject Read(string text, List<ConfigurationError> errors)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Syntax);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return (JsonObject)Copy(document.RootElement, "", errors)!;
            errors.Add(new("", "the file must hold one JSON object; for example { \"listeners\": [] }"));
        }
        catch (JsonException problem)
        {
            // The framework's message may quote the text at that place, and the text there may be a secret.
            errors.Add(new("", $"not valid JSON at line {problem.LineNumber + 1}, byte {problem.BytePositionInLine + 1}: look there for a missing or superfluous quote, comma or bracket"));
        }

        return [];
    }

    private static JsonNode? Copy(JsonElement element, string path, List<ConfigurationError> errors)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var section = new JsonObject();
                foreach (var property in element.EnumerateObject())
                {
                    var key = KeyPath.Of(path, property.Name);
                    if (section.ContainsKey(property.Name)) errors.Add(new(key, "is written twice; keep one of them"));
                    else section.Add(property.Name, Copy(property.Value, key, errors));
                }

                return section;
            case JsonValueKind.Array:
                var list = new JsonArray();
                foreach (var item in element.EnumerateArray()) list.Add(Copy(item, KeyPath.Of(path, list.Count), errors));
                return list;
            case JsonValueKind.Null:
                return null;
            default:
                return JsonValue.Create(element.Clone());
        }
    }
}
