using System.Text.RegularExpressions;
using Portico.Configuration;
using Portico.Core.Options;
using Portico.Fuzz.Checking;
using Portico.Protocol;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Configuration;

/// <summary>The configuration file: whatever it holds, the answer is settings or a list of errors that hides secrets.</summary>
internal partial class ConfigurationTarget : TextTarget
{
    private const string Minimal =
        """{ "listeners": [{ "port": 8443, "secret": "00112233445566778899aabbccddeeff", "domain": "www.example.com" }] }""";

    // Known to everybody, and part of many hints.
    private const string ExampleSecret = "0123456789abcdef0123456789abcdef";

    public override string Name => "configuration";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "Invalid"];

    public override IEnumerable<byte[]> Seeds => TokensOf(Minimal, SampleConfiguration.Text());

    public override int MaxLength => 1 << 14;

    public override IReadOnlyList<byte[]> Tokens { get; } = TokensOf(
        "\"listeners\":", "\"users\":", "\"secret\":", "\"name\":", "\"port\":", "\"protocols\":", "\"domain\":",
        "\"publicHost\":", "\"publicPort\":", "\"maxConnections\":", "\"backend\":", "\"direct\":",
        "\"endpoints\":", "\"2\":", "\"-32768\":", "\"defaultDc\":", "\"dataDirectory\":", "\"timeouts\":",
        "\"drainSeconds\":", "\"fakeTls\":", "\"timeWindow\":", "\"engine\":", "\"loops\":", "\"$schema\":",
        "null", "true", "-1", "0", "65536", "2147483648", "1e9", "1.0", "1e999", "\"\"", "[]", "{}", "[[", "{\"a\":",
        ",", "// x\n", "/* ", "\\u0000", "\\ud800", "\\", "\u0000", "[\"149.154.167.51:443\"]", "\"[::1]:443\"",
        "\"classic\"", "\"00112233445566778899aabbccddeeff\"",
        "\"ee00112233445566778899aabbccddeeff6578\"", "\"::\"", "\"fe80::1%1\"", "a..b", "xn--", "ü", "-");

    protected override Outcome Read(string text) => Read(text, []);

    protected Outcome Read(string text, IReadOnlyCollection<Override> overrides)
    {
        var loaded = LoadedConfiguration.Load(text, "/somewhere", overrides);
        Demand(loaded.Settings is null == loaded.Errors.Count > 0, "gives settings together with errors, or neither");
        foreach (var complaint in loaded.Errors.Concat(loaded.Warnings))
        {
            Demand(complaint.Problem.Length > 0, "complains without a word");
            // The name of a variable is always shown: nobody puts a secret there.
            var shown = overrides.Select(wanted => wanted.Origin).Append(ExampleSecret)
                .Aggregate(complaint.ToString(), (rest, harmless) => rest.Replace(harmless, "", StringComparison.Ordinal));
            Demand(!WholeSecret().IsMatch(shown), $"shows a secret in its complaint about {complaint.Key}");
        }

        // Which keys are complained about, positions apart: a new combination is new ground.
        var keys = new Digest();
        foreach (var key in loaded.Errors.Select(Place).Distinct().Order(StringComparer.Ordinal)) keys.Add(key);
        return new Outcome(
            loaded.Errors.Count == 0 ? FrameStatus.Ok : FrameStatus.Invalid,
            "", 0, (ulong)loaded.Errors.Count, (int)(keys.Value & 0xffff));
    }

    private static string Place(ConfigurationError error) => Number().Replace(error.Key.Length > 60 ? "long" : error.Key, "0");

    [GeneratedRegex("[0-9a-fA-F]{32}")]
    private static partial Regex WholeSecret();

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();
}
