using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Portico.Core.Options;

namespace Portico.Configuration;

/// <summary>The configuration in force as JSON, with a placeholder wherever a key is marked as secret.</summary>
internal static class RedactedConfiguration
{
    private const string Placeholder = "[secret]";

    public static string ToJson(ProxyOptions options)
    {
        var root = JsonSerializer.SerializeToNode(options, ProxyOptions.TypeInfo)!.AsObject();
        if (options.Schema is null) root.Remove("$schema");
        Redact(ProxyOptions.TypeInfo, root);
        return JsonText.Indented(root);
    }

    private static string? HostOf(JsonNode address) => WebhookAddress.Of(address.GetValue<string>())?.ToString();

    private static void Redact(JsonTypeInfo type, JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (var element in list) Redact(type.Options.GetTypeInfo(type.ElementType!), element);
        }

        if (node is not JsonObject section || type.Kind != JsonTypeInfoKind.Object) return;
        foreach (var property in type.Properties)
        {
            if (OptionAttribute.Of(property) is { Secret: true } option && section[property.Name] is { } secret)
                section[property.Name] = option.ShowsHost ? HostOf(secret) ?? Placeholder : Placeholder;
            else
                Redact(type.Options.GetTypeInfo(property.PropertyType), section[property.Name]);
        }
    }
}

/// <summary>JSON for people: indented, and without escapes that only a browser needs.</summary>
internal static class JsonText
{
    public static string Indented(JsonNode node)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(
            bytes, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" }))
            node.WriteTo(writer);
        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}
