using System.Text.Json;
using System.Text.Json.Nodes;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>Reads JSON with comments and trailing commas into a tree, and notices keys that are written twice.</summary>
internal static class ConfigurationText
{
    private static readonly JsonDocumentOptions Syntax = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private const string HalfPair = @"holds half of a surrogate pair, \ud800 to \udfff alone; write the character itself";

    /// <summary>The tree; an empty one after an error.</summary>
    public static JsonObject Read(string text, List<ConfigurationError> errors)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            errors.Add(
                new("", "the file is empty; move it away and `portico run` writes a new one, or begin with docs/portico.sample.json"));
            return [];
        }

        try
        {
            using var document = JsonDocument.Parse(text, Syntax);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return (JsonObject)Copy(document.RootElement, "", errors)!;
            errors.Add(new("", "the file must hold one JSON object; for example { \"listeners\": [] }"));
        }
        catch (JsonException problem)
        {
            // The framework's message may quote the text at that place, and the text there may be a secret.
            errors.Add(new("", $"not valid JSON at line {problem.LineNumber + 1}, byte {problem.BytePositionInLine + 1}: "
                + "look there for a missing or superfluous quote, comma or bracket"));
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
                    if (!TryDecode(() => property.Name, out var name))
                    {
                        errors.Add(new(path, $"has a key that {HalfPair}"));
                        continue;
                    }

                    var key = KeyPath.Of(path, name);
                    if (section.ContainsKey(name))
                        errors.Add(new(key, "is written twice; keep one of them"));
                    else
                        section.Add(name, Copy(property.Value, key, errors));
                }

                return section;
            case JsonValueKind.Array:
                var list = new JsonArray();
                foreach (var item in element.EnumerateArray()) list.Add(Copy(item, KeyPath.Of(path, list.Count), errors));
                return list;
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                if (!TryDecode(element.GetString, out var text)) errors.Add(new(path, HalfPair));
                return JsonValue.Create(text);
            default:
                return JsonValue.Create(element.Clone());
        }
    }

    // The grammar allows an escape that is half a character, and the framework has no way to ask for one without an exception.
    private static bool TryDecode(Func<string?> read, out string text)
    {
        try
        {
            text = read()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }
}
