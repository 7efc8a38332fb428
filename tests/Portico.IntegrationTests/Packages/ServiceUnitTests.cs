using System.Globalization;
using System.Text.RegularExpressions;
using Portico.IntegrationTests.Commands;
using Portico.TestKit;
using Portico.TestKit.Covers;
using Xunit;

namespace Portico.IntegrationTests.Packages;

/// <summary>The units of deploy/systemd, judged by systemd itself. That they do what they say: deploy/test-packages.</summary>
public sealed partial class ServiceUnitTests : IDisposable
{
    private const string SystemdAnalyze = "systemd-analyze";

    // What `systemd-analyze security` says of version 252, and what docs/operations.md tells.
    private const double MostExposure = 1.6;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [ToolFact(SystemdAnalyze)]
    public async Task systemd_finds_nothing_to_say_about_the_units()
    {
        // It looks whether the program is there; ours is not installed.
        var text = await File.ReadAllTextAsync(ServiceUnit.Path);
        var unit = _directory.Write(
            "portico.service", text.Replace(ServiceUnit.Program, Programs.Get(SystemdAnalyze), StringComparison.Ordinal));
        var socket = _directory.Write("portico.socket", await File.ReadAllTextAsync(ServiceUnit.SocketPath));

        var (code, output, errors) = await Programs.RunAsync(SystemdAnalyze, ["verify", "--man=no", unit, socket]);

        Assert.DoesNotContain("portico", output + errors, StringComparison.Ordinal); // the machine's own units are not our affair
        Assert.Equal(0, code);
    }

    [ToolFact(SystemdAnalyze)]
    public async Task The_service_is_no_more_exposed_than_the_page_for_operators_says()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, "docs", "operations.md"));
        Assert.Contains(MostExposure.ToString("0.0", CultureInfo.InvariantCulture), page, StringComparison.Ordinal);

        var (_, output, errors) = await Programs.RunAsync(SystemdAnalyze, ["security", "--offline=true", "--no-pager", ServiceUnit.Path]);

        var exposure = Exposure().Match(output);
        Assert.True(exposure.Success, output + errors);
        Assert.InRange(double.Parse(exposure.Groups["level"].Value, CultureInfo.InvariantCulture), 0, MostExposure);
    }

    [Fact]
    public void Sessions_may_end_in_peace_before_systemd_loses_patience()
    {
        var patience = int.Parse(Assert.Single(ServiceUnit.Values("TimeoutStopSec")), CultureInfo.InvariantCulture);
        Assert.True(patience > new Portico.Core.Options.ProxyOptions().Timeouts.DrainSeconds);
    }

    // systemd tells the program from version 254 on; before, the unit has to.
    [Fact]
    public void The_program_is_told_that_its_sockets_are_kept()
    {
        Assert.Contains($"FDSTORE={Assert.Single(ServiceUnit.Values("FileDescriptorStoreMax"))}", ServiceUnit.Values("Environment"));
    }

    [Fact]
    public void A_wrong_configuration_is_not_tried_again_and_everything_else_is()
    {
        Assert.Equal(["2"], ServiceUnit.Values("RestartPreventExitStatus"));
        Assert.Equal(["always"], ServiceUnit.Values("Restart"));
        Assert.Equal(["0"], ServiceUnit.Values("StartLimitIntervalSec"));
    }

    [GeneratedRegex("Overall exposure level for [^:]*: (?<level>[0-9.]+) ")]
    private static partial Regex Exposure();
}
