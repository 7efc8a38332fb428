using System.Globalization;
using Portico.Hosting;
using Spectre.Console;

namespace Portico.Questions;

/// <summary>Tables without lines, as wide as the terminal; in a file or a pipe each row is one line.</summary>
internal static class Tables
{
    // Wider than any row: nothing is to be wrapped for a program that reads lines.
    private const int Unbounded = 10_000;

    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB", "PB"];

    /// <summary>Writes one.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="columns">Their heads; one that begins with &gt; is for numbers and stands at the right.</param>
    /// <param name="rows">As many cells as there are columns.</param>
    public static void Write(TextWriter output, string[] columns, IEnumerable<string[]> rows)
    {
        var table = new Table().NoBorder();
        foreach (var column in columns)
        {
            var isNumber = column.StartsWith('>');
            var shown = new TableColumn(new Text(column.TrimStart('>'))) { NoWrap = true, Padding = new Padding(0, 0, 2, 0) };
            table.AddColumn(isNumber ? shown.RightAligned() : shown);
        }

        foreach (var row in rows) table.AddRow(row.Select(cell => new Text(cell)));
        var written = new StringWriter(CultureInfo.InvariantCulture);
        On(written).Write(table);
        foreach (var line in written.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)) output.WriteLine(line.TrimEnd());
    }

    /// <summary>A number of bytes in the largest unit of 1000 that leaves a whole number before the point.</summary>
    public static string Bytes(long count)
    {
        double shown = count;
        var unit = 0;
        while (shown >= 1000 && unit < Units.Length - 1)
        {
            shown /= 1000;
            unit++;
        }

        var format = unit == 0 || shown >= 100 ? "0" : "0.0";
        return $"{shown.ToString(format, CultureInfo.InvariantCulture)} {Units[unit]}";
    }

    /// <summary>A time span in its two largest units.</summary>
    public static string Duration(TimeSpan span) => span switch
    {
        { TotalDays: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)span.TotalDays} d {span.Hours} h"),
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h {span.Minutes} min"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{span.Minutes} min {span.Seconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)span.TotalSeconds)} s"),
    };

    /// <summary>How long ago something was.</summary>
    public static string Ago(DateTimeOffset then, DateTimeOffset now) => $"{Duration(now - then)} ago";

    /// <summary>A whole number.</summary>
    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static IAnsiConsole On(TextWriter output)
    {
        var terminal = Terminal.OfOutput();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = terminal is { Width: > 0 } ? terminal.Width : Unbounded;
        return console;
    }
}
