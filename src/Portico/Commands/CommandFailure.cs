namespace Portico.Commands;

/// <summary>Ends a command with a message for the operator, printed as it is, and no stack trace.</summary>
internal sealed class CommandFailure(int exitCode, string message) : Exception(message)
{
    /// <summary>One of <see cref="Commands.ExitCode"/>.</summary>
    public int ExitCode => exitCode;
}
