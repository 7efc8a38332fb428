using System.Text.Json;
using Portico.Fuzz.Searching;
using Portico.Protocol.WebProxy;

namespace Portico.Fuzz.Targets.WebProxy;

/// <summary>Where searches about the WEB proxy begin.</summary>
internal static class WebSeeds
{
    private const string File = "web_proxy.json";

    /// <summary>Beginnings of frames, lengths, and payloads that mean something.</summary>
    public static IReadOnlyList<byte[]> Tokens { get; } =
    [
        [1, 0, 0, 1, 0, 0, 0, 0], [2, 0, 0, 1, 0, 0, 0, 1, 7], [3, 0, 0, 1, 0, 0, 0, 0], [4, 0, 0, 1, 0, 0, 0, 4, 0, 0, 1, 0],
        [5, 0, 0, 0, 0, 0, 0, 0], [6, 0, 0, 0, 0, 0, 0, 1, 9], [0x10, 0, 0, 0, 0, 0, 0, 1, 1], [0x11, 0, 0, 0, 0, 0, 0, 0],
        [0x1f, 0, 0, 0, 0, 0, 0, 0], [0, 0x10, 0, 0], [0, 0x10, 0, 1], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0],
    ];

    public static IEnumerable<JsonElement> Cases(string section) => VectorFile.Cases(File, section);

    /// <summary>One part of a section that has several.</summary>
    public static IEnumerable<JsonElement> Cases(string section, string part)
    {
        using var document = JsonDocument.Parse(System.IO.File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", File)));
        return [.. document.RootElement.Clone().GetProperty(section).GetProperty(part).EnumerateArray()];
    }

    /// <summary>Those byte strings of cases that are written out whole.</summary>
    public static IEnumerable<byte[]> Bytes(this IEnumerable<JsonElement> cases, string property) => cases
        .Where(item => item.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String)
        .Select(item => item.Hex(property));

    /// <summary>A batch of frames that might be some app's, most of them right.</summary>
    public static byte[] RandomBatch(SplitMix random)
    {
        var batch = new List<byte>();
        for (var left = 1 + random.Below(12); left > 0; left--)
        {
            var type = (WebFrameType)(random.OneIn(12) ? random.Below(33) : 1 + random.Below(6));
            var payload = type switch
            {
                WebFrameType.Data => random.Bytes(1 + random.Below(6)),
                WebFrameType.Window => [0, 0, (byte)random.Below(3), (byte)random.Below(256)],
                WebFrameType.Ping or WebFrameType.Pong => random.Bytes(random.Below(4)),
                _ => random.OneIn(20) ? [1] : Array.Empty<byte>(),
            };
            var stream = type is WebFrameType.Ping or WebFrameType.Pong or > WebFrameType.Pong ? 0 : 1 + random.Below(5);
            batch.AddRange([(byte)type, 0, 0, (byte)stream, 0, 0, 0, (byte)payload.Length, .. payload]);
        }

        return [.. batch];
    }
}
