using System.Collections.Immutable;
using Portico.Core.Clients;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Options;

namespace Portico.Core;

/// <summary>
/// Everything that follows from one state of the settings, immutable: the next state gets a generation of its own.
/// A session keeps the one that it began under. What outlives settings is in <see cref="ProxyServices"/>.
/// </summary>
internal sealed record SettingsGeneration
{
    public required ProxySettings Settings { get; init; }

    /// <summary>What strangers see.</summary>
    public required CoverServices Cover { get; init; }

    /// <summary>What the flights copy, per listener.</summary>
    public required LearnedFlights Flights { get; init; }

    /// <summary>Keeps <see cref="Flights"/> up to date; null without a cover.</summary>
    public required FlightLearner? FlightLearner { get; init; }

    /// <summary>One entry for each loop of the engine, in its order.</summary>
    public required ImmutableArray<LoopServices> Loops { get; init; }

    /// <summary>Which listener of the generation before each listener was.</summary>
    public required ImmutableArray<int> Pairs { get; init; }
}
