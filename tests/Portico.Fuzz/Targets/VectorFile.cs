using System.Text;
using System.Text.Json;
using Portico.Protocol.Secrets;

namespace Portico.Fuzz.Targets;

/// <summary>The recorded bytes of the protocol tests: where searches begin.</summary>
internal static class VectorFile
{
    /// <summary>The secret of most vectors; the parsers that need one get it.</summary>
    public static ProxySecret Secret { get; } = ProxySecret.Create(Convert.FromHexString("d0d6e111bada5511fcce9584deadbeef"));

    /// <summary>The server's clock in the vectors, Unix seconds.</summary>
    public const long Now = 1_760_000_000;

    public static IEnumerable<JsonElement> Cases(string file, string section)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", file)));
        return [.. document.RootElement.Clone().GetProperty(section).EnumerateArray()];
    }

    /// <summary>One byte string of each case that has it.</summary>
    public static IEnumerable<byte[]> Bytes(string file, string section, string property) =>
        Cases(file, section).Where(item => item.TryGetProperty(property, out _)).Select(item => item.Hex(property));

    /// <summary>One text of each case, as bytes.</summary>
    public static IEnumerable<byte[]> Texts(string file, string section, string property) =>
        Cases(file, section).Select(item => Encoding.UTF8.GetBytes(item.GetProperty(property).GetString()!));

    public static byte[] Hex(this JsonElement item, string property) => Convert.FromHexString(item.GetProperty(property).GetString()!);
}
