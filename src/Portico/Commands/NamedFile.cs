using Portico.Configuration;
using Portico.Protocol.Secrets;

namespace Portico.Commands;

/// <summary>A short file that an option names: a token, a secret.</summary>
internal static class NamedFile
{
    /// <summary>Advice for one that holds a secret.</summary>
    public const string HoldsSecret = "it must hold 32 hexadecimal digits; `portico secret` prints some";

    /// <summary>Its text without the white space around it.</summary>
    /// <param name="path">What the option names.</param>
    /// <param name="advice">What to do if it cannot be read.</param>
    /// <param name="exitCode">Of that.</param>
    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public static string Read(string path, string advice, int exitCode = ExitCode.Failed)
    {
        var shown = SecretText.TryParse(path, out _, out _) ? "[hidden]" : path; // the secret itself, where the file's name belongs
        return FileFailure.Guard(() => File.ReadAllText(path), "read", shown, advice, exitCode).Trim();
    }
}
