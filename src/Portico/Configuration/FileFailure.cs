using Portico.Commands;

namespace Portico.Configuration;

/// <summary>Turns what the file system refuses into one line for the operator.</summary>
internal static class FileFailure
{
    /// <summary>Runs <paramref name="action"/>.</summary>
    /// <param name="action">What touches the file.</param>
    /// <param name="verb">"read" or "write".</param>
    /// <param name="path">The file, for the message.</param>
    /// <param name="advice">What to do about it.</param>
    /// <param name="exitCode">Of a failure.</param>
    /// <exception cref="CommandFailure">It failed.</exception>
    public static T Guard<T>(Func<T> action, string verb, string path, string advice, int exitCode = ExitCode.Failed)
    {
        try
        {
            return action();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            var reason = problem switch
            {
                ArgumentException => "that is no path", // such as an empty one
                UnauthorizedAccessException => "permission denied",
                FileNotFoundException or DirectoryNotFoundException => "no such file or directory",
                _ => problem.Message.ReplaceLineEndings(" ").TrimEnd('.'),
            };
            throw new CommandFailure(exitCode, $"cannot {verb} {path}: {reason}; {advice}");
        }
    }
}
