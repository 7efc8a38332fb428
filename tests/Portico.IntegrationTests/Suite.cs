namespace Portico.IntegrationTests;

/// <summary>
/// The trait of tests that wait for limits of half a minute and more, or measure for as long:
/// `./check` runs them by tests/long.runsettings.
/// </summary>
internal static class Suite
{
    public const string Trait = "Suite", Long = "long";
}
