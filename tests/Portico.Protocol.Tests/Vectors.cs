using System.Text.Json;
using Xunit;

namespace Portico.Protocol.Tests;

/// <summary>The recorded wire bytes in the folder Vectors. Byte strings there are lower-case hex.</summary>
internal static class Vectors
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Vectors");

    /// <summary>The root of one file, e.g. "direct.json".</summary>
    public static JsonElement Load(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, file)));
        return document.RootElement.Clone();
    }

    /// <summary>The items of an array section.</summary>
    public static JsonElement[] Cases(string file, string section) => [.. Load(file).GetProperty(section).EnumerateArray()];

    /// <summary>Indexes of the items of a section, for <c>[MemberData]</c>: the runner then lists every case.</summary>
    public static TheoryData<int> Indexes(string file, string section) => [.. Enumerable.Range(0, Cases(file, section).Length)];

    public static byte[] Hex(string hex) => Convert.FromHexString(hex);

    /// <summary>A byte string property.</summary>
    public static byte[] Hex(this JsonElement item, string property) => Hex(item.GetProperty(property).GetString()!);

    /// <summary>A property that may be absent or null.</summary>
    public static JsonElement? Optional(this JsonElement item, string property) =>
        item.TryGetProperty(property, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string Text(this JsonElement item, string property) => item.GetProperty(property).GetString()!;

    /// <summary>The framing named by a vector, whatever name it uses.</summary>
    public static Transport ReadTransport(this JsonElement item, string property) => item.Text(property) switch
    {
        "abridged" => Transport.Abridged,
        "intermediate" => Transport.Intermediate,
        "secure" => Transport.Padded,
        var other => throw new InvalidDataException($"unknown transport {other}"),
    };
}
