using System.Diagnostics;
using System.Globalization;
using Portico.Core.Net;
using Portico.IntegrationTests.Commands;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>
/// What is in the memory of a running proxy stays there when it crashes. That the process
/// is "not dumpable" can be read nowhere in /proc by root, whom it does not keep out of anything;
/// so it is made to crash, beside a process of which the system does keep a core.
/// </summary>
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
public sealed class DumpTests
{
    // SIGSYS: its default is a core file, and the runtime leaves it alone. SIGABRT: the runtime makes its own dump, and goes on.
    private const int BadSystemCall = 31;
    private const int Abort = 6;

    private const string CrashHere = "ulimit -c unlimited 2>/dev/null || ulimit -c \"$(ulimit -H -c)\"; \"$@\"; echo done";

    [CoreFact]
    public async Task The_system_keeps_no_core_of_a_running_proxy_though_it_does_of_others()
    {
        using var directory = new TemporaryDirectory();
        Assert.Contains(
            "core dumped", await CrashAsync(directory, ["sleep", "600"], shell => Task.FromResult(ChildOf(shell))),
            StringComparison.Ordinal);

        directory.Write("portico.json", """{ "listeners": [{ "address": "127.0.0.1", "port": """
            + """0, "secret": "a1b2c3d4e5f60718293a4b5c6d7e8f90", "domain": "www.example.com" }] }""");
        var said = await CrashAsync(directory, PorticoExecutable.Command, async shell =>
        {
            while (await shell.StandardOutput.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("# main: 1 link", StringComparison.Ordinal))
                    break;
            }
            return ChildOf(shell);
        });
        Assert.Contains("Bad system call", said, StringComparison.Ordinal);
        Assert.DoesNotContain("core dumped", said, StringComparison.Ordinal);
    }

    [LinuxFact]
    public async Task A_crash_dump_that_the_runtime_is_told_to_make_does_not_get_the_secret()
    {
        using var dumps = new TemporaryDirectory();
        await using var proxy = await ProxyProcess.StartAsync(EngineKind.Auto, variables: new()
        {
            ["DOTNET_DbgEnableMiniDump"] = "1",
            ["DOTNET_DbgMiniDumpType"] = "4",  // full
            ["DOTNET_DbgMiniDumpName"] = dumps.File("dump.%p"),
        });
        await proxy.ServeAsync();
        proxy.Signal(Abort);
        if (PorticoExecutable.Native is null)
            await proxy.LineAsync("[createdump]");  // the native form has no dumper beside it, and says so on stderr
        var watch = Stopwatch.StartNew();
        while (ChildrenOf(proxy.Id).Any())
        {
            Assert.True(watch.Elapsed < Wire.Patience, "the runtime's dumper does not end");
            await Task.Delay(10);  // nobody tells when another's child has ended
        }
        var left = Directory.GetFiles(proxy.WorkingDirectory)
            .Where(path => Path.GetFileName(path) is not ("portico.json" or "admin.sock"));
        foreach (var path in Directory.GetFiles(dumps.Path).Concat(left))
            Assert.Empty(SecretSearch.Find(File.ReadAllBytes(path), proxy.Secret.Key));
    }

    /// <summary>Runs a program below a shell, which tells how it ended and whether a core was made, and kills it.</summary>
    private static async Task<string> CrashAsync(TemporaryDirectory directory, string[] program, Func<Process, Task<int>> started)
    {
        var start =
            new ProcessStartInfo("bash") { WorkingDirectory = directory.Path, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])["-c", CrashHere, "bash", .. program])
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C";
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PORTICO", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        using var shell = Process.Start(start)!;
        var errors = shell.StandardError.ReadToEndAsync();
        using (var kill = Process.Start(
            "kill",
            ["-s", BadSystemCall.ToString(CultureInfo.InvariantCulture), (await started(shell)).ToString(CultureInfo.InvariantCulture)]))
            await kill.WaitForExitAsync();
        await shell.StandardOutput.ReadToEndAsync();
        return await errors.WaitAsync(TimeSpan.FromMinutes(1));
    }

    private static int ChildOf(Process shell)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            // a child that has not executed its program yet still bears the name of the shell
            foreach (var child in ChildrenOf(shell.Id))
            {
                if (Name(child) is not ("bash" or ""))
                    return child;
            }
            Assert.True(watch.Elapsed < Wire.Patience, "the shell starts nothing");
        }
    }

    private static IEnumerable<int> ChildrenOf(int parent) =>
        from path in Directory.GetDirectories("/proc")
        let name = Path.GetFileName(path)
        where name.All(char.IsAsciiDigit)
        let id = int.Parse(name, CultureInfo.InvariantCulture)
        where ParentOf(id) == parent
        select id;

    private static int ParentOf(int id) => Stat(id) is [_, var parent, ..] ? int.Parse(parent, CultureInfo.InvariantCulture) : 0;

    private static string Name(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/comm").Trim();
        }
        catch (IOException)
        {
            return ""; // ended since
        }
    }

    // Fields behind the name, which stands in brackets and may hold blanks: state, parent and so on (man 5 proc).
    private static string[] Stat(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }
}
