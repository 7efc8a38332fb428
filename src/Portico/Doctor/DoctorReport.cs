using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Portico.Hosting;

namespace Portico.Doctor;

/// <summary>The findings as an operator or a script reads them.</summary>
internal static class DoctorReport
{
    private const int LeastText = 30, VerdictWidth = 6;
    private const string Arrow = "-> ";

    /// <summary>
    /// A line for each finding, and a sum. On a terminal that tells its width the text is wrapped and the cure stands below it; elsewhere
    /// each finding stays on one line, for grep.
    /// </summary>
    public static void WriteTable(TextWriter output, IReadOnlyList<Entry> entries, Terminal terminal)
    {
        var checkWidth = entries.Max(entry => entry.Check.Length) + 2;
        var indent = VerdictWidth + checkWidth;
        var room = terminal.Width - 1 - indent;
        foreach (var (check, finding) in entries)
        {
            var start = Coloured(WordOf(finding.Verdict).PadRight(VerdictWidth), finding.Verdict, terminal) + check.PadRight(checkWidth);
            if (room < LeastText)
            {
                output.WriteLine(finding.Cure.Length == 0 ? $"{start}{finding.Text}" : $"{start}{finding.Text} {Arrow}{finding.Cure}");
                continue;
            }

            var margin = new string(' ', indent);
            foreach (var line in Wrapped(finding.Text, room))
            {
                output.WriteLine(start + line);
                start = margin;
            }

            var before = Arrow;
            foreach (var line in finding.Cure.Length == 0 ? [] : Wrapped(finding.Cure, room - Arrow.Length))
            {
                output.WriteLine(margin + before + line);
                before = new string(' ', Arrow.Length);
            }
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Count(entries, Verdict.Ok)} ok, {Count(entries, Verdict.Warn)} warn, {Count(entries, Verdict.Fail)} fail"));
    }

    /// <summary>
    /// One JSON object: <c>ok</c>, <c>warn</c>, <c>fail</c> (numbers) and <c>findings</c>, each with <c>check</c>, <c>finding</c> (its
    /// name), <c>verdict</c>, <c>text</c> and <c>cure</c> (null where there is nothing to do).
    /// </summary>
    public static void WriteJson(TextWriter output, IReadOnlyList<Entry> entries)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            foreach (var verdict in (Verdict[])[Verdict.Ok, Verdict.Warn, Verdict.Fail])
                json.WriteNumber(WordOf(verdict), Count(entries, verdict));
            json.WriteStartArray("findings");
            foreach (var (check, finding) in entries)
            {
                json.WriteStartObject();
                json.WriteString("check", check);
                json.WriteString("finding", finding.Diagnosis.Name);
                json.WriteString("verdict", WordOf(finding.Verdict));
                json.WriteString("text", finding.Text);
                json.WriteString("cure", finding.Cure.Length == 0 ? null : finding.Cure);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(bytes.WrittenSpan));
    }

    /// <summary>What tables, JSON and docs/doctor.md call a verdict.</summary>
    public static string WordOf(Verdict verdict) => verdict switch
    {
        Verdict.Ok => "ok",
        Verdict.Skip => "skip",
        Verdict.Warn => "warn",
        Verdict.Fail => "fail",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict)),
    };

    private static int Count(IReadOnlyList<Entry> entries, Verdict verdict) => entries.Count(entry => entry.Finding.Verdict == verdict);

    private static string Coloured(string word, Verdict verdict, Terminal terminal)
    {
        if (!terminal.Colours) return word;
        var colour = verdict switch { Verdict.Ok => "32", Verdict.Warn => "33", Verdict.Fail => "31", _ => "2" };
        return $"\e[{colour}m{word}\e[0m";
    }

    // At spaces; a word that is longer than a line, such as a path, stays whole.
    private static IEnumerable<string> Wrapped(string text, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            if (line.Length > 0) line.Append(' ');
            line.Append(word);
        }

        yield return line.ToString();
    }
}
