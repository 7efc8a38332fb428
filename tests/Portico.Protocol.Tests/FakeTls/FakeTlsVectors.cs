using System.Text.Json;

namespace Portico.Protocol.Tests.FakeTls;

internal static class FakeTlsVectors
{
    public static JsonDocument Load(string file) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", file)));
}
