namespace Portico.Commands;

/// <summary>What the process tells its caller; scripts and service managers rely on these numbers.</summary>
internal static class ExitCode
{
    /// <summary>An orderly end.</summary>
    public const int Ok = 0;

    /// <summary>Anything that is none of the others.</summary>
    public const int Failed = 1;

    /// <summary>The configuration or the command line is wrong: starting again will not help.</summary>
    public const int BadConfiguration = 2;

    /// <summary>A command that asks the running proxy found none.</summary>
    public const int NotRunning = 3;
}
