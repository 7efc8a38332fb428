using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portico.Protocol.FakeTls;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Protocol.Tests.FakeTls;

/// <summary>One case of client_hello_cases in fake_tls.json.</summary>
internal sealed class HelloCase
{
    private static readonly JsonDocument File = FakeTlsVectors.Load("fake_tls.json");

    private readonly JsonElement _case;

    private HelloCase(JsonElement element) => _case = element;

    public static TheoryData<string> Names { get; } = [.. All.Select(c => c.Name)];

    public static IEnumerable<HelloCase> All => File.RootElement.GetProperty("client_hello_cases").EnumerateArray().Select(e => new HelloCase(e));

    public static IEnumerable<JsonElement> ServerHellos => File.RootElement.GetProperty("server_hello_cases").EnumerateArray();

    public string Name => _case.GetProperty("name").GetString()!;

    public byte[] Input => Hex(_case, "input");

    public long Now => _case.GetProperty("now").GetInt64();

    public HmacKey Key => new(ProxySecret.Create(Hex(_case, "secret")));

    public JsonElement Expected => _case.GetProperty("expected");

    public string Outcome => Expected.GetProperty("outcome").GetString()!;

    public string? Metric => Expected.GetProperty("metric").GetString();

    public JsonElement? Digest => Optional(_case, "digest");

    public JsonElement? Parsed => Optional(_case, "parsed");

    public JsonElement? TimePolicies => Optional(_case, "accepted_by_time_policy");

    public JsonElement? Config => Optional(_case, "config");

    public static HelloCase Named(string name) => All.Single(c => c.Name == name);

    public static byte[] Hex(JsonElement owner, string property) => Convert.FromHexString(owner.GetProperty(property).GetString()!);

    public static JsonElement? Optional(JsonElement owner, string property) =>
        owner.TryGetProperty(property, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>The decision of spec/02 sections 2 to 5 and 9, in the words of the vectors.</summary>
    public Decision Decide(ReadOnlySpan<byte> raw, TimeWindow window)
    {
        var scratch = new byte[ClientHelloReader.MaxHelloLength];
        FrameStatus status;
        HelloVerdict verdict;
        if (Config is { } config)
        {
            // The secret depends on the name, so the examination is done in its three steps.
            status = HelloExamination.Open(raw, scratch, out verdict);
            if (status == FrameStatus.Ok)
            {
                using var derived = new HmacKey(Derive(config, verdict.Hello.Sni));
                verdict.KeyIndex = HelloDigest.IndexOfSigner(verdict.Hello.Bytes, [derived], out var timestamp);
                if (verdict.KeyIndex < 0)
                    return new("front_or_close", ProtocolError.TlsInvalidDigest.Tag());
                verdict.Timestamp = timestamp;
                status = HelloExamination.Qualify(ref verdict, window, Now, TlsCipherSuites.None);
            }
        }
        else
        {
            using var key = Key;
            status = HelloExamination.Examine(raw, scratch, [key], window, Now, TlsCipherSuites.None, out verdict);
        }
        return Decision.Of(status, verdict.Error);
    }

    private static ProxySecret Derive(JsonElement config, ReadOnlySpan<byte> sni)
    {
        var salt = config.GetProperty("salt").GetString()!;
        var hex = config.GetProperty("base_secret").GetString()!;
        return ProxySecret.Create(SHA256.HashData([.. Encoding.ASCII.GetBytes(salt + hex), .. sni]).AsSpan(0, ProxySecret.Length));
    }
}

internal readonly record struct Decision(string Outcome, string? Metric)
{
    public static readonly Decision NeedMore = new("need_more", null);

    public static Decision Of(FrameStatus status, ProtocolError error) => (status, error) switch
    {
        (FrameStatus.Ok, ProtocolError.None) => new("accept", null),
        (FrameStatus.NeedMoreData, ProtocolError.None) => NeedMore,
        (FrameStatus.Invalid, ProtocolError.TlsClientHelloExpected) => new("not_tls", ProtocolError.UnknownProtocol.Tag()),
        (FrameStatus.Invalid, ProtocolError.TlsBadClientHello or ProtocolError.TlsNoSni) => new("alert_close", error.Tag()),
        (FrameStatus.Invalid, not ProtocolError.None) => new("front_or_close", error.Tag()),
        _ => throw new InvalidOperationException($"{status} with {error}"),
    };
}
