using Portico.TestKit;

namespace Portico.IntegrationTests.Commands;

/// <summary>
/// The executable in the form that these tests start: on the runtime, as it was built beside them, or the native binary that
/// PORTICO_EXECUTABLE names. `./check` runs the tests that start it (trait <see cref="Trait"/>) on both.
/// </summary>
internal static class PorticoExecutable
{
    /// <summary>Marks the classes that start the executable, so that they can be run again on the other form.</summary>
    public const string Trait = "Starts";

    /// <summary>The value of the trait: either form will do.</summary>
    public const string EitherForm = "executable";

    /// <summary>The value of the trait for tests of the native form alone.</summary>
    public const string NativeForm = "native";

    /// <summary>The native binary, if the environment names one.</summary>
    public static string? Native { get; } =
        Environment.GetEnvironmentVariable("PORTICO_EXECUTABLE") is { Length: > 0 } path
            ? Path.GetFullPath(path, RepositoryRoot.Path)
            : null;

    /// <summary>Program and first arguments of the form on the runtime.</summary>
    public static string[] OnRuntime { get; } =
        [Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", Path.Combine(AppContext.BaseDirectory, "portico.dll")];

    /// <summary>Program and first arguments of the form under test.</summary>
    public static string[] Command => Native is null ? OnRuntime : [Native];
}
