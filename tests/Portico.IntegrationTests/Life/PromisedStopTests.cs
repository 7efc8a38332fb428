using Portico.IntegrationTests.Commands;
using Portico.IntegrationTests.Hostile;
using Xunit;
using Xunit.Abstractions;

namespace Portico.IntegrationTests.Life;

/// <summary>How soon an end is over is promised for a machine that has nothing else to do.</summary>
[Collection(nameof(Siege))]
[Trait(PorticoExecutable.Trait, PorticoExecutable.EitherForm)]
[Trait(Suite.Trait, Suite.Long)]
public sealed class PromisedStopTests(ITestOutputHelper output) : StopScenes(output)
{
    private static readonly TimeSpan OfIdle = TimeSpan.FromSeconds(1), AfterTheLast = TimeSpan.FromSeconds(3);

    [Fact]
    public Task Five_hundred_idle_clients_hear_fin_at_once_and_fifty_transfers_are_finished_first() =>
        StopAsync(idle: 500, busy: 50, AfterTheLast);

    [Fact]
    public Task With_five_hundred_idle_clients_it_is_over_within_a_second() => IdleAsync(500, OfIdle);
}
