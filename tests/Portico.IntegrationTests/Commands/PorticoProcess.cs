using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Portico.IntegrationTests.Commands;

/// <summary>
/// The built executable as its own process, as an operator starts it:
/// a directory, an environment without our variables, and what it says.
/// </summary>
internal sealed class PorticoProcess : IAsyncDisposable
{
    // Far beyond what a start takes; only a hang gets there.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Who is asked for the public address: a list parted by commas.</summary>
    public const string AddressServices = "PORTICO__backend__middle__ipLookupServices";

    /// <summary>Where administration listens.</summary>
    public const string AdminAddress = "PORTICO__admin__address";

    private readonly Process _process;
    private readonly Task<string> _errors;
    private readonly StringBuilder _said = new();
    private readonly List<string> _lines = [];

    private PorticoProcess(Process process)
    {
        _process = process;
        _errors = ListenAsync();
    }

    /// <summary>Its number.</summary>
    public int Id => _process.Id;

    /// <summary>Starts `portico` with <paramref name="arguments"/> in <paramref name="directory"/>.</summary>
    public static PorticoProcess Start(string directory, string[] arguments, IReadOnlyDictionary<string, string>? variables = null) =>
        Start(PorticoExecutable.Command, directory, arguments, variables);

    /// <summary>Starts the form of the executable that <paramref name="command"/> names.</summary>
    public static PorticoProcess Start(
        string[] command, string directory, string[] arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        var start = new ProcessStartInfo(command[0])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var argument in command[1..].Concat(arguments)) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PORTICO", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment[AddressServices] = "http://127.0.0.1:9/"; // tests ask nobody outside; there, nobody listens
        start.Environment[AdminAddress] = "127.0.0.1:0"; // the usual one may be another test's
        foreach (var (name, value) in variables ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    /// <summary>Starts, and waits for the end.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(
        string directory, string[] arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        await using var portico = Start(directory, arguments, variables);
        return await portico.EndAsync();
    }

    /// <summary>The next line on stdout that starts with <paramref name="start"/>.</summary>
    public async Task<string> LineAsync(string start)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (await _process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            _lines.Add(line);
            if (line.StartsWith(start, StringComparison.Ordinal)) return line;
        }

        throw new InvalidOperationException($"stdout ended without a line that starts with {start}; stderr: {await _errors}");
    }

    /// <summary>The port of the first listener, of a start that has its configuration and therefore shows no links.</summary>
    public async Task<int> PortAsync()
    {
        const string Before = " to port ";
        var line = await LineAsync("# ");
        var at = line.IndexOf(Before, StringComparison.Ordinal) + Before.Length;
        return int.Parse(line[at..line.IndexOf(';', at)], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>Waits until it has said <paramref name="text"/> on stderr.</summary>
    public async Task UntilItSaysAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!Said().Contains(text, StringComparison.Ordinal))
        {
            if (_errors.IsCompleted && !Said().Contains(text, StringComparison.Ordinal))
                throw new InvalidOperationException($"it ended without saying \"{text}\": {Said()}");
            await Task.Delay(20, patience.Token);
        }
    }

    /// <summary>Waits until it can be asked and told: clients do not wait for that.</summary>
    public Task UntilAdministeredAsync() => UntilItSaysAsync("Administration at ");

    /// <summary>What it has said on stderr so far.</summary>
    public string Said()
    {
        lock (_said) return _said.ToString();
    }

    /// <summary>It has ended, and whatever has its streams.</summary>
    public bool HasEnded => _errors.IsCompleted && _process.HasExited;

    /// <summary>Waits for the end without reading what it says.</summary>
    public async Task GoneAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        await _process.WaitForExitAsync(patience.Token);
    }

    /// <summary>Asks for the end, as a service manager or Ctrl+C do.</summary>
    public void Signal(int number) => Signal(_process.Id, number);

    /// <summary>Sends a signal to a process that took over from this one.</summary>
    public static void Signal(int process, int number) => _ = Kill(process, number);

    /// <summary>Waits for the end.</summary>
    public async Task<(int Code, string Output, string Errors)> EndAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        var rest = await _process.StandardOutput.ReadToEndAsync(patience.Token);
        var errors = await _errors.WaitAsync(patience.Token);
        await _process.WaitForExitAsync(patience.Token);
        return (_process.ExitCode, string.Concat(_lines.Select(line => line + "\n")) + rest, errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task<string> ListenAsync()
    {
        var piece = new char[1024];
        int count;
        while ((count = await _process.StandardError.ReadAsync(piece)) > 0)
        {
            lock (_said) _said.Append(piece, 0, count);
        }

        return Said();
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}

/// <summary>Signals by their numbers, which are the same on every Unix we run on.</summary>
internal static class Signals
{
    public const int Interrupt = 2;
    public const int HangUp = 1;
    public const int Kill = 9;
    public const int User1 = 10;
    public const int User2 = 12;
    public const int Terminate = 15;
}

/// <summary>A directory that is gone after the test.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("portico-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        if (!OperatingSystem.IsWindows())
            System.IO.File.SetUnixFileMode(File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
