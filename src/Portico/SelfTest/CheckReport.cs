using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Portico.SelfTest;

/// <summary>The results as an operator or a script reads them.</summary>
internal static class CheckReport
{
    /// <summary>A line per check, errors behind the time, and the sum.</summary>
    public static void WriteTable(TextWriter output, IReadOnlyList<CheckResult> results)
    {
        var width = results.Max(result => result.Name.Length);
        output.WriteLine($"{"check".PadRight(width)}  result      ms");
        foreach (var result in results)
        {
            var ms = result.Milliseconds.ToString(CultureInfo.InvariantCulture).PadLeft(6);
            output.WriteLine($"{result.Name.PadRight(width)}  {(result.Ok ? "ok    " : "FAILED")}  {ms}  {result.Error}".TrimEnd());
        }

        var failed = results.Count(result => !result.Ok);
        output.WriteLine(FormattableString.Invariant($"{results.Count - failed} passed, {failed} failed"));
    }

    /// <summary>
    /// One JSON object: <c>passed</c>, <c>failed</c> and <c>checks</c>,
    /// each with <c>name</c>, <c>ok</c>, <c>ms</c> and <c>error</c> (null when ok).
    /// </summary>
    public static void WriteJson(TextWriter output, IReadOnlyList<CheckResult> results)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteNumber("passed", results.Count(result => result.Ok));
            json.WriteNumber("failed", results.Count(result => !result.Ok));
            json.WriteStartArray("checks");
            foreach (var result in results)
            {
                json.WriteStartObject();
                json.WriteString("name", result.Name);
                json.WriteBoolean("ok", result.Ok);
                json.WriteNumber("ms", result.Milliseconds);
                json.WriteString("error", result.Error);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(bytes.WrittenSpan));
    }
}
