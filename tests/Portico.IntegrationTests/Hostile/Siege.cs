using Xunit;

namespace Portico.IntegrationTests.Hostile;

/// <summary>
/// What peers do that want to harm the proxy, or are merely broken. Each test asserts what the peer saw,
/// the reason of the end, that a well-behaved client is served afterwards, and that sessions,
/// rented buffers and descriptors are back where they were. docs/threat-model.md tells which test is about what.
/// They run one at a time and after all others, because they count the descriptors of the process and load the machine.
/// </summary>
[CollectionDefinition(nameof(Siege), DisableParallelization = true)]
public static class Siege
{
    /// <summary>The longer forms, for `./check --slow`.</summary>
    public static bool IsSlow => Environment.GetEnvironmentVariable("PORTICO_SLOW") is not null;
}
