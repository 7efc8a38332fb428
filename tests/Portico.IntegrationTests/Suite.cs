namespace Portico.IntegrationTests;

/// <summary>
/// The trait of tests that `dotnet test` leaves out: those that wait for limits of half a minute, measure for as long or open a browser,
/// which `./check` runs by tests/long.runsettings, and those of several minutes or that compare speeds, which `./check --slow` runs by
/// tests/minutes.runsettings.
/// </summary>
internal static class Suite
{
    public const string Trait = "Suite", Long = "long", Minutes = "minutes";
}
