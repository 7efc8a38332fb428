using System.Text.RegularExpressions;
using Portico.Doctor;
using Portico.Hosting;
using Portico.TestKit;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.IntegrationTests.Doctor;

/// <summary>How findings are shown, how long they are waited for, and that docs/doctor.md knows each of them.</summary>
public sealed partial class DoctorReportTests
{
    private static readonly Entry[] Entries =
    [
        new("clock", Diagnoses.ClockRight.Found("within 1 s of one other")),
        new("cover", Diagnoses.CoverDown.Found(
            "192.0.2.7:443 cannot be connected to: strangers are closed without a byte", "start the site, or correct cover.target")),
    ];

    [Fact]
    public void On_a_terminal_the_text_is_wrapped_and_the_cure_stands_below_it()
    {
        var output = new StringWriter();

        DoctorReport.WriteTable(output, Entries, new Terminal(Colours: false, Blocks: true, Width: 61));

        Assert.Equal("""
            ok    clock  within 1 s of one other
            fail  cover  192.0.2.7:443 cannot be connected to: strangers
                         are closed without a byte
                         -> start the site, or correct cover.target
            1 ok, 0 warn, 1 fail

            """, output.ToString());
    }

    [Fact]
    public void Colours_are_set_where_they_may_be_and_nowhere_else()
    {
        var (coloured, plain) = (new StringWriter(), new StringWriter());

        DoctorReport.WriteTable(coloured, Entries, new Terminal(Colours: true, Blocks: true, Width: 80));
        DoctorReport.WriteTable(plain, Entries, Terminal.None);

        Assert.Contains("\e[31mfail  \e[0mcover", coloured.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain('\e', plain.ToString());
        Assert.Equal(3, plain.ToString().TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task A_check_that_hears_of_no_end_is_left_behind()
    {
        var time = new ManualTime();

        var run = DoctorRun.RunAsync([new Stuck()], TimeSpan.FromSeconds(12), time, CancellationToken.None);
        time.Advance(TimeSpan.FromSeconds(11.9));
        Assert.False(run.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        var (check, finding) = Assert.Single(await run);
        Assert.Equal(("stuck", "check-slow"), (check, finding.Diagnosis.Name));
    }

    [Fact]
    public async Task An_exception_of_a_check_is_a_finding()
    {
        var entries = await DoctorRun.RunAsync([new Broken()], TimeSpan.FromSeconds(12), new ManualTime(), CancellationToken.None);

        var (check, finding) = Assert.Single(entries);
        Assert.Equal(("broken", "check-broken"), (check, finding.Diagnosis.Name));
    }

    [Fact]
    public void Every_finding_is_a_row_of_the_page_with_its_verdict_and_the_page_has_no_others()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "doctor.md"));
        var rows = Row().Matches(page).Select(row => $"{row.Groups["name"].Value} {row.Groups["verdict"].Value}");

        Assert.Equal(Diagnoses.All.Select(it => $"{it.Name} {DoctorReport.WordOf(it.Verdict)}"), rows);
        Assert.Equal(Diagnoses.All.Count, Diagnoses.All.Select(it => it.Name).Distinct().Count());
    }

    [GeneratedRegex(@"^\| `(?<name>[a-z0-9-]+)` \| (?<verdict>ok|skip|warn|fail) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    private sealed class Stuck : ICheck
    {
        public string Name => "stuck";

        public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop) => new TaskCompletionSource<IReadOnlyList<Finding>>().Task;
    }

    private sealed class Broken : ICheck
    {
        public string Name => "broken";

        public Task<IReadOnlyList<Finding>> RunAsync(CancellationToken stop) => throw new InvalidOperationException("no");
    }
}
