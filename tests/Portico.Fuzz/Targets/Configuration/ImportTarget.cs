using System.Text.RegularExpressions;
using Portico.Fuzz.Checking;
using Portico.Import;
using Portico.Protocol;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Configuration;

/// <summary>The file of another proxy: whatever it holds, the answer is a configuration or a list of errors that hides secrets.</summary>
internal sealed partial class ImportTarget(string from) : TextTarget
{
    public override string Name => $"import-{from}";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok", "Invalid"];

    public override IEnumerable<byte[]> Seeds =>
        Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Foreign", from))
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes);

    public override int MaxLength => 1 << 13;

    public override IReadOnlyList<byte[]> Tokens { get; } = TokensOf(
        "[", "]", "{", "}", "(", ")", "#{", "<<\"", "\">>", "=>", "[[server.listeners]]\n", "[access.users]\n", "secret = ", "bind-to = ",
        "USERS = {", "PORT = ", "\"\"\"", "'", "\"", "\\\n", "\n", "#", "%", "-S ", "-H ", "-D ", "--nat-info ", "$(", "${", "0", "-1",
        "99999999999999999999", "None", "True", "true", "mtp_fake_tls", "{ports, ", "{policy, ", "127.0.0.1:0", "::", "1h2m3s", "\0", "ü");

    protected override Outcome Read(string text)
    {
        var result = ImportSource.Convert(from, text);
        Demand(result.Text is null == result.Errors.Count > 0, "gives a configuration together with errors, or neither");
        foreach (var note in result.Errors.Concat(result.Left).Concat(result.Remarks))
        {
            Demand(note.Text.Length > 0, "says a note without a word");
            Demand(!WholeSecret().IsMatch(note.ToString()), $"shows a secret in its note about {note.Key}");
            Demand(!note.ToString().Contains('\n', StringComparison.Ordinal), "says a note that is more than a line");
        }

        return new Outcome(
            result.Text is null ? FrameStatus.Invalid : FrameStatus.Ok, "", 0, (ulong)result.Errors.Count, result.Left.Count);
    }

    [GeneratedRegex("[0-9a-fA-F]{32}")]
    private static partial Regex WholeSecret();
}
