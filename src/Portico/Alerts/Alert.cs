using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Portico.Alerts;

/// <summary>A state that an operator should hear of.</summary>
/// <param name="Text">One sentence, with what to do.</param>
/// <param name="Sameness">While this is the same it is no news.</param>
/// <param name="Details">For programs. No secret, link or address of a client.</param>
internal sealed record AlertState(string Text, string Sameness, JsonObject Details);

/// <summary>What is posted.</summary>
/// <param name="Kind">One of <see cref="AlertKinds"/>.</param>
/// <param name="Text">One sentence, with what to do.</param>
/// <param name="At">Since when it is so.</param>
/// <param name="Details">For programs.</param>
/// <param name="IsResolved">The state is over.</param>
internal sealed record Alert(string Kind, string Text, DateTimeOffset At, JsonObject Details, bool IsResolved = false)
{
    /// <summary>The body of the request.</summary>
    /// <param name="proxy">Name of this machine.</param>
    /// <param name="version">Of the program.</param>
    public byte[] ToJson(string proxy, string version)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("kind", Kind);
            json.WriteString("text", Text);
            json.WriteString("at", At.UtcDateTime);
            json.WriteString("proxy", proxy);
            json.WriteString("version", version);
            if (IsResolved) json.WriteBoolean("resolved", true);
            json.WritePropertyName("details");
            Details.WriteTo(json);
            json.WriteEndObject();
        }

        return bytes.ToArray();
    }
}
