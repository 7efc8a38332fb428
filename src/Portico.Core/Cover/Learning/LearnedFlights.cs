namespace Portico.Core.Cover.Learning;

/// <summary>What was learned, for loops: one immutable flight per listener, replaced whole.</summary>
internal sealed class LearnedFlights(int listeners)
{
    private readonly LearnedFlight?[] _byListener = new LearnedFlight?[listeners];

    /// <summary>Null while nothing is known.</summary>
    public LearnedFlight? Of(int listener) => Volatile.Read(ref _byListener[listener]);

    /// <summary>In force for the next client.</summary>
    public void Publish(int listener, LearnedFlight flight) => Volatile.Write(ref _byListener[listener], flight);
}
