using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>The JSON Schema that lets an editor complete and check a configuration while it is typed.</summary>
internal static class ConfigurationSchema
{
    private const string Dialect = "https://json-schema.org/draft/2020-12/schema";

    public static string Text()
    {
        var schema = ProxyOptions.TypeInfo
            .GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe })
            .AsObject();
        schema.Insert(0, "$schema", Dialect);
        schema.Insert(1, "title", "Configuration of Portico");
        return JsonText.Indented(schema) + "\n";
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode node)
    {
        // The exporter does not know what a converter reads.
        if (OptionTypes.IsByteSize(context.TypeInfo.Type))
            node = new JsonObject { ["type"] = new JsonArray("integer", "string", "null") };
        if (node is not JsonObject schema) return node;
        // unknown keys are errors
        if (context.TypeInfo.Kind == JsonTypeInfoKind.Object)
            schema["additionalProperties"] = false;
        if (context.PropertyInfo is not { } property || OptionAttribute.Of(property) is not { } option)
            return schema;

        schema.Insert(0, "description", option.Meaning);
        if (context.TypeInfo.Kind != JsonTypeInfoKind.Object)
            schema["default"] = JsonNode.Parse(OptionAttribute.DefaultOf(property));
        if (option.Minimum != int.MinValue) schema["minimum"] = option.Minimum;
        if (option.Maximum != int.MaxValue) schema["maximum"] = option.Maximum;
        if (option.LeastLength > 0) schema["minLength"] = option.LeastLength;
        else if (option.ShowsHost) schema["pattern"] = "^[Hh][Tt][Tt][Pp][Ss]?://";
        else if (option.Secret) schema["pattern"] = "^[0-9A-Fa-f]{32}$";
        if (option.OneOf.Length > 0)
            (schema["items"] as JsonObject ?? schema)["enum"] = new JsonArray([.. option.OneOf.Select(one => (JsonNode)one)]);
        return schema;
    }
}
