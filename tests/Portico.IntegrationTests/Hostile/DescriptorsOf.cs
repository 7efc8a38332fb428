using System.Globalization;

namespace Portico.IntegrationTests.Hostile;

/// <summary>What a process has open, as Linux tells it; elsewhere 0, which makes a comparison with a base hold.</summary>
internal static class DescriptorsOf
{
    /// <summary>Sockets only: files and pipes of the test runner come and go.</summary>
    public static int ThisProcess() => Links("/proc/self/fd").Count(link => link.StartsWith("socket:", StringComparison.Ordinal));

    /// <summary>Everything.</summary>
    public static int Process(int id) => Links($"/proc/{id}/fd").Count();

    /// <summary>How many there are of each kind, for the message of a failing test.</summary>
    public static IEnumerable<string> Kinds(int id) =>
        Links($"/proc/{id}/fd").CountBy(link => link.Split(':')[0]).Select(kind => $"{kind.Value} {kind.Key}");

    /// <summary>How many this process may have.</summary>
    public static int Limit()
    {
        var line = File.ReadLines("/proc/self/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        return int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], CultureInfo.InvariantCulture);
    }

    private static IEnumerable<string> Links(string directory)
    {
        if (!Directory.Exists(directory))
            yield break;
        foreach (var path in Directory.EnumerateFileSystemEntries(directory))
        {
            string? target;
            try
            {
                target = new FileInfo(path).LinkTarget;
            }
            catch (IOException)
            {
                continue; // closed since
            }
            if (target is not null)
                yield return target;
        }
    }
}
