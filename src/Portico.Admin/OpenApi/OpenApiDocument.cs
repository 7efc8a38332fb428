using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Portico.Admin.Api;
using Portico.Admin.Json;
using Portico.Core.Options;

namespace Portico.Admin.OpenApi;

/// <summary>The OpenAPI 3.1 document, made of the operations that the routes are made of.</summary>
internal static class OpenApiDocument
{
    private static readonly (int Status, string Meaning)[] ErrorsOfAll =
    [
        (400, "Something in the request is wrong; key names it"),
        (401, "The token is missing or wrong"),
        (403, "No token is configured"),
        (413, "The body is too long"),
        (421, "Without the token, this name is not answered to"),
        (429, "Too many wrong tokens came from this address"),
        (503, "An event loop did not answer within 2 s"),
    ];

    /// <summary>The document as text.</summary>
    public static string TextOf(IEnumerable<Operation> operations)
    {
        using var bytes = new MemoryStream();
        var options = new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };
        using (var writer = new Utf8JsonWriter(bytes, options)) Of(operations).WriteTo(writer);
        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    /// <summary>The document.</summary>
    /// <param name="operations">All there are.</param>
    public static JsonObject Of(IEnumerable<Operation> operations)
    {
        var schemas = new JsonObject { ["ProblemDocument"] = SchemaOf(SparseJson.Default.ProblemDocument) };
        var paths = new JsonObject();
        foreach (var group in operations.GroupBy(operation => operation.Pattern))
        {
            var path = new JsonObject();
            foreach (var operation in group) path[operation.Method.ToLowerInvariant()] = Describe(operation, schemas);
            paths[group.Key] = path;
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject { ["title"] = "Portico administration", ["version"] = "v1" },
            ["security"] = new JsonArray(new JsonObject { ["token"] = new JsonArray() }),
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = schemas,
                ["securitySchemes"] = new JsonObject
                {
                    ["token"] = new JsonObject
                    {
                        ["type"] = "http",
                        ["scheme"] = "bearer",
                        ["description"] = "admin.token; the unix socket needs none",
                    },
                },
            },
        };
    }

    private static JsonObject Describe(Operation operation, JsonObject schemas)
    {
        var answers = new JsonObject
        {
            ["200"] = new JsonObject
            {
                ["description"] = "Done",
                ["content"] = new JsonObject { [operation.ContentType] = Content(operation.Answers, schemas, operation.ContentType) },
            },
        };
        // What an operation says of a status is more exact than what is said of all.
        foreach (var (status, meaning) in operation.Errors.Concat(ErrorsOfAll).DistinctBy(it => it.Status).OrderBy(it => it.Status))
        {
            if (operation.MayCall == MayCall.Public && status is 401 or 403) continue;
            answers[status.ToString(CultureInfo.InvariantCulture)] = new JsonObject
            {
                ["description"] = meaning,
                ["content"] = new JsonObject { ["application/problem+json"] = Reference("ProblemDocument") },
            };
        }

        var described = new JsonObject
        {
            ["operationId"] = operation.Id,
            ["summary"] = operation.Summary,
            ["responses"] = answers,
        };
        if (!operation.Parameters.IsEmpty)
            described["parameters"] = new JsonArray([.. operation.Parameters.Select(Describe)]);
        if (operation.Body is { } body)
        {
            described["requestBody"] = new JsonObject
            {
                ["required"] = operation.Method != "DELETE",
                ["content"] = new JsonObject { ["application/json"] = Content(body, schemas, "application/json") },
            };
        }

        // An empty requirement: it may be called without.
        if (operation.MayCall != MayCall.Token)
            described["security"] = new JsonArray(new JsonObject(), new JsonObject { ["token"] = new JsonArray() });
        return described;
    }

    private static JsonNode Describe(Parameter parameter)
    {
        var schema = new JsonObject { ["type"] = parameter.IsNumber ? "integer" : "string" };
        if (parameter.IsNumber) schema["minimum"] = 1;
        return new JsonObject
        {
            ["name"] = parameter.Name,
            ["in"] = parameter.IsInPath ? "path" : "query",
            ["required"] = parameter.IsInPath,
            ["description"] = parameter.Meaning,
            ["schema"] = schema,
        };
    }

    private static JsonObject Content(JsonTypeInfo? type, JsonObject schemas, string contentType)
    {
        if (type is null)
            return new JsonObject { ["schema"] = new JsonObject { ["type"] = contentType == "application/json" ? "object" : "string" } };
        if (!schemas.ContainsKey(type.Type.Name)) schemas[type.Type.Name] = SchemaOf(type);
        return Reference(type.Type.Name);
    }

    private static JsonObject Reference(string name) =>
        new() { ["schema"] = new JsonObject { ["$ref"] = $"#/components/schemas/{name}" } };

    private static JsonNode SchemaOf(JsonTypeInfo type) =>
        type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe });

    // The exporter does not know what a converter reads.
    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode node) =>
        context.TypeInfo.Type == typeof(ByteSize) || context.TypeInfo.Type == typeof(ByteSize?)
            ? new JsonObject { ["type"] = new JsonArray("integer", "string", "null") }
            : node;
}
