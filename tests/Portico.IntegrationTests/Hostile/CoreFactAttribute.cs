using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>A test that reads /proc.</summary>
public class LinuxFactAttribute : FactAttribute
{
    public LinuxFactAttribute()
    {
        if (!OperatingSystem.IsLinux())
            Skip = "needs /proc";
    }
}

/// <summary>A test that needs a system which keeps core files: where none are kept at all, there is nothing to tell apart.</summary>
public sealed class CoreFactAttribute : LinuxFactAttribute
{
    public CoreFactAttribute()
    {
        if (Skip is null && HardLimit() == "0")
            Skip = "the hard limit for core files is 0: no process can leave one here";
    }

    private static string HardLimit() =>
        File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max core file size", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[5];
}
