using Portico.Configuration;
using Portico.Fuzz.Checking;

namespace Portico.Fuzz.Targets.Configuration;

/// <summary>Environment variables laid over a file: lines that begin PORTICO__ are variables, the others are the file.</summary>
internal sealed class OverrideTarget : ConfigurationTarget
{
    private const string Start = "PORTICO__";

    public override string Name => "configuration-override";

    public override IEnumerable<byte[]> Seeds => base.Seeds.Select(
        file => (byte[])[.. "PORTICO__Listeners__0__Port=443\nPORTICO__Listeners__0__Protocols=secure,classic\n"u8, .. file]);

    public override IReadOnlyList<byte[]> Tokens { get; } = TokensOf(
        "PORTICO__", "__", "Listeners__", "0__", "1__", "9999999999__", "Users__", "Secret=",
        "Name=", "Backend__Direct__Endpoints__2=", "Backend__", "Timeouts__IdleSeconds=",
        "Engine=", "=", "\n", "\0", ",", "true", "-1", "null", "{}", "[]");

    protected override Outcome Read(string text)
    {
        var lines = text.Split('\n').ToLookup(line => line.StartsWith(Start, StringComparison.Ordinal));
        var variables =
            lines[true].Select(line => line.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], pair.Length > 1 ? pair[1] : null));
        return Read(string.Join('\n', lines[false]), [.. Override.From(variables)]);
    }
}
