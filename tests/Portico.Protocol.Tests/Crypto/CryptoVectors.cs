using System.Text.Json;

namespace Portico.Protocol.Tests.Crypto;

internal static class CryptoVectors
{
    public static JsonElement Load(string file) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", file))).RootElement;

    public static byte[] Hex(this JsonElement element, string property) => Convert.FromHexString(element.GetProperty(property).GetString()!);
}
