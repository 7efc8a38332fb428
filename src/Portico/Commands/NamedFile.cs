namespace Portico.Commands;

/// <summary>A short file that an option names: a token, a secret.</summary>
internal static class NamedFile
{
    /// <summary>Its text without the white space around it.</summary>
    /// <param name="option">The option, for the error.</param>
    /// <param name="path">What it names.</param>
    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public static string Read(string option, string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailure(ExitCode.BadConfiguration, $"{option}: {error.Message}");
        }
    }
}
