using System.Diagnostics;

namespace Portico.TestKit.Covers;

/// <summary>Programs of other people that tests start; `tests/install-tools` installs them.</summary>
public static class Programs
{
    // Far beyond what any of them takes.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(60);

    // Servers are kept where an ordinary user's PATH does not lead.
    private static readonly string[] Folders =
    [
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries),
        "/usr/local/sbin", "/usr/sbin", "/sbin",
    ];

    /// <summary>Where it is, or null.</summary>
    public static string? Find(string name) => Folders.Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Where it is.</summary>
    /// <exception cref="FileNotFoundException">It is not installed.</exception>
    public static string Get(string name) =>
        Find(name) ?? throw new FileNotFoundException($"{name} is not installed; tests/install-tools does that");

    /// <summary>Runs one to its end.</summary>
    /// <param name="program">Its name.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="input">What it reads; then its input ends.</param>
    /// <param name="take">Gets its output; null = it is text.</param>
    /// <returns>Exit code, output (empty where <paramref name="take"/> got it) and what it says about errors.</returns>
    /// <exception cref="TimeoutException">It did not end; it was ended.</exception>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(
        string program, string[] arguments, string input = "", Func<Stream, Task>? take = null)
    {
        var start = new ProcessStartInfo(Get(program), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            var errors = process.StandardError.ReadToEndAsync();
            var output = "";
            var reading = take is null ? ReadAsync() : take(process.StandardOutput.BaseStream);
            await Task.WhenAll(reading, errors, process.WaitForExitAsync()).WaitAsync(MostTime);
            return (process.ExitCode, output, await errors);

            async Task ReadAsync() => output = await process.StandardOutput.ReadToEndAsync();
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }
}
