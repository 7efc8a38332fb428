using System.Text.Json;
using System.Text.Json.Nodes;

namespace Portico.Admin.Tests.OpenApi;

/// <summary>
/// Compares a value with a JSON Schema, as far as ours go: types, members and elements. A member that is not described is wrong.
/// </summary>
internal static class Shape
{
    public static void Check(JsonNode schema, JsonNode? value, string path, JsonNode document, List<string> problems, JsonNode? root = null)
    {
        if ((string?)schema["$ref"] is { } reference)
        {
            // "#/components/…" counts from the document, anything else from the schema that it stands in.
            var start = reference.StartsWith("#/components", StringComparison.Ordinal) ? document : root!;
            var target = reference[2..].Split('/').Aggregate(
                start, (node, part) => node is JsonArray list ? list[int.Parse(part)]! : node[part]!);
            Check(target, value, path, document, problems, start == document ? target : root);
            return;
        }

        root ??= schema;
        var kind = KindOf(value);
        string[] allowed = schema["type"] switch
        {
            JsonArray list => [.. list.Select(it => (string)it!)],
            { } one => [(string)one!],
            _ => [],
        };
        if (allowed.Length > 0 && !allowed.Contains(kind) && !(kind == "integer" && allowed.Contains("number")))
            problems.Add($"{path}: {kind} instead of {string.Join(" or ", allowed)}");
        switch (value)
        {
            case JsonObject section when schema["properties"] is JsonObject properties:
                foreach (var (name, member) in section)
                {
                    if (properties[name] is { } described)
                        Check(described, member, $"{path}.{name}", document, problems, root);
                    else problems.Add($"{path}.{name}: not described");
                }

                foreach (var needed in schema["required"]?.AsArray() ?? [])
                {
                    if (!section.ContainsKey((string)needed!))
                        problems.Add($"{path}.{needed}: missing");
                }

                break;
            case JsonArray list when schema["items"] is { } items:
                for (var i = 0; i < list.Count; i++) Check(items, list[i], $"{path}[{i}]", document, problems, root);
                break;
        }
    }

    private static string KindOf(JsonNode? value) => value?.GetValueKind() switch
    {
        null => "null",
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => value.ToJsonString().Contains('.') ? "number" : "integer",
        _ => "boolean",
    };
}
