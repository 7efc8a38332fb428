namespace Portico.Commands;

/// <summary>What the process tells its caller; scripts and service managers rely on these numbers.</summary>
internal static class ExitCode
{
    /// <summary>An orderly end.</summary>
    public const int Ok = 0;

    /// <summary>Anything that is neither of the other two.</summary>
    public const int Failed = 1;

    /// <summary>The configuration or the command line is wrong: starting again will not help.</summary>
    public const int BadConfiguration = 2;
}
