using Portico.Fuzz.Searching;

namespace Portico.Fuzz.Checking;

/// <summary>What an examination stands on: memory of four kinds to lay inputs in, and random numbers.</summary>
internal sealed class Ground : IDisposable
{
    private readonly GuardedMemory? _guarded = GuardedMemory.IsSupported ? new GuardedMemory() : null;
    private int _next;

    public Ground(SplitMix random)
    {
        Random = random;
        Bed dark = new PoisonedBed(0x00);
        OtherBeds = _guarded is null ? [dark] : [dark, new GuardedBed(_guarded, atEnd: true), new GuardedBed(_guarded, atEnd: false)];
    }

    public SplitMix Random { get; }

    /// <summary>The memory for most calls.</summary>
    public Bed Light { get; } = new PoisonedBed(0xa5);

    /// <summary>Memory with other bytes around the input, and with none at all.</summary>
    public IReadOnlyList<Bed> OtherBeds { get; }

    /// <summary>Each of <see cref="OtherBeds"/> in turn.</summary>
    public Bed NextOther() => OtherBeds[_next++ % OtherBeds.Count];

    public void Dispose() => _guarded?.Dispose();
}
