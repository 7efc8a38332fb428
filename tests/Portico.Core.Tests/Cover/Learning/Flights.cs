using System.Collections.Immutable;
using Portico.Core.Cover.Learning;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Tests.Cover.Learning;

/// <summary>What could have been learned of a cover.</summary>
internal static class Flights
{
    public static readonly DateTimeOffset AsOf = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>A cover with an order of preference of its own.</summary>
    public static LearnedFlight Of(
        int[] classic, int[]? postQuantum = null, ushort[]? preference = null,
        ServerExtensionOrder order = ServerExtensionOrder.SupportedVersionsFirst) =>
        new(Suites(preference ?? [0x1302, 0x1303, 0x1301]))
        {
            ClassicGroup = 0x1d,
            PostQuantumGroup = 0x1d,
            Order = order,
            ClassicLengths = [.. classic],
            PostQuantumLengths = [.. postQuantum ?? classic],
            AsOf = AsOf,
        };

    private static ImmutableArray<ushort> Suites(ushort[] preference)
    {
        var suites = new ushort[TlsSuiteOffer.MaxCode];
        foreach (var offer in TlsSuiteOffer.All) suites[offer.Code] = preference.FirstOrDefault(offer.Contains);
        return [.. suites];
    }
}
