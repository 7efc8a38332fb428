using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>Which level follows from figures. Pure: a level is entered at its mark and left three points below it.</summary>
internal static class MemoryLevels
{
    /// <summary>Percent of the limit from which on a level holds.</summary>
    public const double Pressure = 85, Shedding = 92, Full = 95;

    /// <summary>So far below its mark a level is left.</summary>
    public const double Slack = 3;

    /// <summary>What is given up leads here, so that the level ends.</summary>
    public const double Target = 80;

    /// <summary>
    /// Until here relays keep to their share after a level: at once, those that
    /// hold little of what they could would take all that the others gave up.
    /// </summary>
    public const double Ease = 70;

    /// <summary>The level after <paramref name="current"/>.</summary>
    public static MemoryLevel Next(MemoryLevel current, double percent)
    {
        var reached = percent switch
        {
            >= Full => MemoryLevel.Full,
            >= Shedding => MemoryLevel.Shedding,
            >= Pressure => MemoryLevel.Pressure,
            _ => MemoryLevel.Normal,
        };
        while (current > reached && percent < MarkOf(current) - Slack) current--;
        return current > reached ? current : reached;
    }

    private static double MarkOf(MemoryLevel level) => level switch
    {
        MemoryLevel.Full => Full,
        MemoryLevel.Shedding => Shedding,
        _ => Pressure,
    };
}
