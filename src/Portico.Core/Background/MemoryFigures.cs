namespace Portico.Core.Background;

/// <summary>How much memory is in use of what there is, where it is shortest.</summary>
/// <param name="Used">Bytes that cannot be had back without closing something.</param>
/// <param name="Limit">Bytes there are; 0 = nobody knows.</param>
/// <param name="Of">Whose: for the operator.</param>
internal readonly record struct MemoryFigures(long Used, long Limit, string Of)
{
    /// <summary>Of the limit, in percent; 0 where there is none.</summary>
    public double Percent => Limit > 0 ? Used * 100.0 / Limit : 0;

    /// <summary>The one of two that is nearer to its limit.</summary>
    public static MemoryFigures Tighter(MemoryFigures one, MemoryFigures other) =>
        other.Percent > one.Percent || one.Limit <= 0 ? other : one;
}
