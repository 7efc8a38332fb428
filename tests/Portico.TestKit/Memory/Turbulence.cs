namespace Portico.TestKit.Memory;

/// <summary>A network that delivers in pieces, in any order and at any moment; the same seed gives the same weather.</summary>
internal sealed class Turbulence(int seed)
{
    private readonly Random _random = new(seed);

    public bool Chance(int oneIn) => _random.Next(oneIn) == 0;

    /// <summary>Below <paramref name="count"/>.</summary>
    public int Index(int count) => _random.Next(count);

    /// <summary>1 to <paramref name="most"/>; small pieces are as likely as large ones, because borders hide in small ones.</summary>
    public int Piece(int most) => most <= 1 || Chance(4) ? most : _random.Next(1, 1 + Math.Min(most, 1 << _random.Next(1, 18)));

    public void Shuffle<T>(Span<T> items) => _random.Shuffle(items);
}
