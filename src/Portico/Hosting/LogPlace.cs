namespace Portico.Hosting;

/// <summary>Who reads what is logged.</summary>
internal enum LogPlace
{
    /// <summary>A file, a pipe, a container's log.</summary>
    Elsewhere,

    /// <summary>Somebody at a terminal.</summary>
    Terminal,

    /// <summary>The journal of systemd, which stderr leads to.</summary>
    Journal,
}

/// <summary>Finds out.</summary>
internal static class LogPlaces
{
    private const string Stderr = "/proc/self/fd/2";

    /// <summary>Of this process.</summary>
    public static LogPlace OfProcess()
    {
        if (!Console.IsErrorRedirected)
            return LogPlace.Terminal;
        return IsJournal(Environment.GetEnvironmentVariable("JOURNAL_STREAM"), TargetOfStderr()) ? LogPlace.Journal : LogPlace.Elsewhere;
    }

    /// <summary>Children inherit the variable, and may have been given another stderr.</summary>
    /// <param name="stream">JOURNAL_STREAM: device and inode of the stream (systemd.exec(5)).</param>
    /// <param name="stderr">What the descriptor is: <c>socket:[inode]</c>.</param>
    public static bool IsJournal(string? stream, string? stderr) =>
        stream?.Split(':') is [_, var inode] && stderr == $"socket:[{inode}]";

    private static string? TargetOfStderr()
    {
        try
        {
            return OperatingSystem.IsLinux() ? new FileInfo(Stderr).LinkTarget : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
