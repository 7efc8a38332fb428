using System.Text.Json;
using Portico.Protocol;
using Portico.Protocol.Secrets;

namespace Portico.ModelComparison;

/// <summary>Reads the fields of a question and writes those of an answer.</summary>
internal static class Question
{
    public static string Text(this JsonElement question, string field) => question.GetProperty(field).GetString()!;

    public static byte[] Hex(this JsonElement question, string field) => Convert.FromHexString(question.Text(field));

    public static long Number(this JsonElement question, string field) => question.GetProperty(field).GetInt64();

    public static bool Flag(this JsonElement question, string field) => question.GetProperty(field).GetBoolean();

    /// <summary>Null where none is given.</summary>
    public static ProxySecret? Secret(this JsonElement question) =>
        question.GetProperty("secret").GetString() is { } hex ? ProxySecret.Create(Convert.FromHexString(hex)) : null;

    /// <summary>The model calls padded framing secure.</summary>
    public static Transport Transport(this JsonElement question) => question.Text("transport") switch
    {
        "abridged" => Protocol.Transport.Abridged,
        "intermediate" => Protocol.Transport.Intermediate,
        "secure" => Protocol.Transport.Padded,
        var other => throw new InvalidDataException(other),
    };

    public static string NameOf(Transport transport) =>
        transport == Protocol.Transport.Padded ? "secure" : transport.ToString().ToLowerInvariant();

    public static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    public static string Line(params object[] fields) =>
        string.Join(' ', fields.Select(field => field is bool flag ? (flag ? "1" : "0") : $"{field}"));
}
