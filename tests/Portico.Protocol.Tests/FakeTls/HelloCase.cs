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
    private const string File = "fake_tls.json";

    private static readonly HelloCase[] Cases = [.. Vectors.Cases(File, "client_hello_cases").Select(item => new HelloCase(item))];

    private readonly JsonElement _case;

    private HelloCase(JsonElement element) => _case = element;

    public static TheoryData<string> Names { get; } = [.. All.Select(c => c.Name)];

    public static IReadOnlyList<HelloCase> All => Cases;

    public static JsonElement[] ServerHellos => Vectors.Cases(File, "server_hello_cases");

    public string Name => _case.Text("name");

    public byte[] Input => _case.Hex("input");

    public long Now => _case.GetProperty("now").GetInt64();

    public HmacKey Key => new(ProxySecret.Create(_case.Hex("secret")));

    public JsonElement Expected => _case.GetProperty("expected");

    public string Outcome => IsTooLong ? "front_or_close" : Expected.Text("outcome");

    public string? Metric => IsTooLong ? "tls_client_hello_too_long" : Expected.GetProperty("metric").GetString();

    public JsonElement? Digest => _case.Optional("digest");

    public JsonElement? Parsed => _case.Optional("parsed");

    public JsonElement? TimePolicies => _case.Optional("accepted_by_time_policy");

    public JsonElement? Config => _case.Optional("config");

    // The vector is older than the rule that a message longer than any client's is not waited for.
    private bool IsTooLong => Name == "handshake_length_9999";

    public static HelloCase Named(string name) => All.Single(c => c.Name == name);

    /// <summary>The decision as the parser that it is, without a look at the clock.</summary>
    public FrameStatus Decide(ReadOnlySpan<byte> raw, out Decision decision)
    {
        decision = Decide(raw, window: default);
        return decision.Status;
    }

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
        var salt = config.Text("salt");
        var hex = config.Text("base_secret");
        return ProxySecret.Create(SHA256.HashData([.. Encoding.ASCII.GetBytes(salt + hex), .. sni]).AsSpan(0, ProxySecret.Length));
    }
}

internal readonly record struct Decision(string Outcome, string? Metric)
{
    private static readonly Decision Accept = new("accept", null);
    private static readonly Decision NeedMore = new("need_more", null);

    public FrameStatus Status => this == NeedMore ? FrameStatus.NeedMoreData : this == Accept ? FrameStatus.Ok : FrameStatus.Invalid;

    public static Decision Of(FrameStatus status, ProtocolError error) => (status, error) switch
    {
        (FrameStatus.Ok, ProtocolError.None) => Accept,
        (FrameStatus.NeedMoreData, ProtocolError.None) => NeedMore,
        (FrameStatus.Invalid, ProtocolError.TlsClientHelloExpected) => new("not_tls", ProtocolError.UnknownProtocol.Tag()),
        (FrameStatus.Invalid, ProtocolError.TlsBadClientHello or ProtocolError.TlsNoSni) => new("alert_close", error.Tag()),
        (FrameStatus.Invalid, not ProtocolError.None) => new("front_or_close", error.Tag()),
        _ => throw new InvalidOperationException($"{status} with {error}"),
    };
}
