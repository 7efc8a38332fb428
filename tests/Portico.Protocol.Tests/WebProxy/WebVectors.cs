using System.Text.Json;
using Portico.Protocol.Secrets;
using Portico.Protocol.WebProxy;
using Xunit;

namespace Portico.Protocol.Tests.WebProxy;

/// <summary>The recorded cases of the WEB proxy, and how their bodies may arrive.</summary>
internal static partial class WebVectors
{
    private const string File = "web_proxy.json";

    // Longer bodies are cut in a few places only.
    private const int CutEverywhere = 1 << 16;

    public static JsonElement[] Cases(params string[] section) =>
        [.. section.Aggregate(Vectors.Load(File), (element, name) => element.GetProperty(name)).EnumerateArray()];

    public static TheoryData<int> Indexes(params string[] section) => [.. Enumerable.Range(0, Cases(section).Length)];

    /// <summary>Hex, or a list of hex strings and of pairs [hex, times].</summary>
    public static byte[] Body(this JsonElement item, string property)
    {
        var body = item.GetProperty(property);
        if (body.ValueKind == JsonValueKind.String)
            return Vectors.Hex(body.GetString()!);
        using var joined = new MemoryStream();
        foreach (var piece in body.EnumerateArray())
        {
            var (hex, times) = piece.ValueKind == JsonValueKind.String ? (piece, 1) : (piece[0], piece[1].GetInt32());
            var bytes = Vectors.Hex(hex.GetString()!);
            for (var i = 0; i < times; i++)
                joined.Write(bytes);
        }

        return joined.ToArray();
    }

    public static string? TextOrNull(this JsonElement item, string property) => item.Optional(property)?.GetString();

    public static uint UInt32(this JsonElement item, string property) => item.GetProperty(property).GetUInt32();

    /// <summary>The kind and the secret of bytes that may begin with dd.</summary>
    public static (SecretKind Kind, ProxySecret Secret) Key(byte[] key) => key.Length == ProxySecret.Length
        ? (SecretKind.Simple, ProxySecret.Create(key))
        : (SecretKind.Secure, ProxySecret.Create(key.AsSpan(1)));

    public static WebAddress Address(string host, string path)
    {
        Assert.True(WebAddress.TryCreate(host, path, out var address, out var error), error);
        return address;
    }

    /// <summary>The bytes whole, cut at every index, and byte by byte.</summary>
    public static IEnumerable<(string How, Memory<byte>[] Parts)> Deliveries(byte[] bytes) => bytes.Length <= CutEverywhere
        ? Segmentation.Deliveries(bytes)
        : new[] { 1, 7, 8, 9, bytes.Length / 2, bytes.Length - 1 }
            .Select(cut => ($"cut at {cut}", new Memory<byte>[] { bytes.AsMemory(0, cut), bytes.AsMemory(cut) }))
            .Append(("whole", [bytes]));
}
