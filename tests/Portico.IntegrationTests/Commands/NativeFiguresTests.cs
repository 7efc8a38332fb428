using System.Diagnostics;
using System.Globalization;
using Portico.TestKit.Covers;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Commands;

/// <summary>What makes the native binary worth its own build: it is small, there at once, and needs little memory.</summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.NativeForm)]
public sealed class NativeFiguresTests(ITestOutputHelper output) : IDisposable
{
    private const int Megabyte = 1_000_000;
    // Of which the web server and the exporters of metrics are nine.
    private const int MostBytes = 28 * Megabyte;
    // With administration on. 24 are read (docs/performance.md); the rest is for the loader's and the kernel's moods.
    private const int MostResidentBytes = 40 * Megabyte;
    private static readonly TimeSpan StartEnds = TimeSpan.FromSeconds(10);
    private const int Starts = 20;

    // The aim is a tenth (docs/performance.md); a machine that does other work besides blurs it.
    private const double MostOfTheRuntimesTime = 1 / 3.0;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [NativeFact]
    public void The_binary_is_small_and_the_only_file_that_is_published()
    {
        var path = PorticoExecutable.Native!;
        output.WriteLine($"{new FileInfo(path).Length} bytes");
        Assert.InRange(new FileInfo(path).Length, 1, MostBytes);
        Assert.Equal([path], Directory.GetFileSystemEntries(Path.GetDirectoryName(path)!));
    }

    [NativeFact]
    public async Task It_is_linked_with_nothing_but_the_systems_C_library()
    {
        var (code, output, errors) = await Programs.RunAsync("ldd", [PorticoExecutable.Native!]);

        Assert.True(code == 0, errors);
        Assert.Equal(
            ["ld-linux", "libc", "libm", "linux-vdso"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(NameOfLibrary).Order(StringComparer.Ordinal));
    }

    // Packages depend on it and images bring it (deploy/): one more library here is one more there.
    [NativeFact]
    public async Task While_it_runs_it_opens_OpenSSL_and_nothing_else()
    {
        var (code, _, loaded) = await Programs.RunAsync("env", ["LD_DEBUG=libs", PorticoExecutable.Native!, "selftest"]);

        Assert.Equal(0, code);
        const string Init = "calling init: ";
        var names = loaded.Split('\n').Where(line => line.Contains(Init, StringComparison.Ordinal))
            .Select(line => NameOfLibrary(line[(line.IndexOf(Init, StringComparison.Ordinal) + Init.Length)..]))
            .Distinct().Order(StringComparer.Ordinal);
        // Some systems build OpenSSL with these two.
        Assert.Equal(["ld-linux", "libc", "libcrypto", "libm", "libssl"], names.Except(["libz", "libzstd"]));
    }

    [NativeFact]
    public async Task Its_first_link_is_there_in_a_third_of_the_time_that_the_runtime_takes()
    {
        Configure();
        var (native, onRuntime) = (new List<double>(), new List<double>());
        for (var i = 0; i < Starts; i++)  // by turns: what else the machine does meets both
        {
            native.Add(await UntilFirstLinkAsync([PorticoExecutable.Native!]));
            onRuntime.Add(await UntilFirstLinkAsync(PorticoExecutable.OnRuntime));
        }

        output.WriteLine($"first link: {Median(native):F1} ms natively, {Median(onRuntime):F1} ms on the runtime (medians of {Starts})");
        Assert.InRange(Median(native), 0, Median(onRuntime) * MostOfTheRuntimesTime);
    }

    [NativeFact]
    public async Task It_needs_little_memory_when_it_has_started()
    {
        Configure();
        await using var portico = PorticoProcess.Start(_directory.Path, []);
        await portico.PortAsync();
        var watch = Stopwatch.StartNew();
        long resident;
        while ((resident = ResidentBytes(portico.Id)) > MostResidentBytes && watch.Elapsed < StartEnds) await Task.Delay(50);
        output.WriteLine($"{resident} bytes resident");
        Assert.InRange(resident, 1, MostResidentBytes);
    }

    // "libm.so.6 => /lib/libm.so.6 (0x...)", "/lib64/ld-linux-x86-64.so.2 (0x...)"
    private static string NameOfLibrary(string line)
    {
        var name = Path.GetFileName(line.Trim().Split(' ')[0]);
        return name.StartsWith("ld-linux", StringComparison.Ordinal) ? "ld-linux" : name.Split('.')[0];
    }

    private void Configure() => _directory.Write("portico.json",
        """{ "listeners": [{ "address": "127.0.0.1", "port": """
            + """0, "secret": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "domain": "www.example.com" }] }""");

    private async Task<double> UntilFirstLinkAsync(string[] command)
    {
        var watch = Stopwatch.StartNew();
        await using var portico = PorticoProcess.Start(command, _directory.Path, []);
        await portico.PortAsync();
        return watch.Elapsed.TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static long ResidentBytes(int process) =>
        Environment.SystemPageSize * long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1], CultureInfo.InvariantCulture);
}
