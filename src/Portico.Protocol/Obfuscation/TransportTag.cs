using System.Diagnostics;

namespace Portico.Protocol.Obfuscation;

/// <summary>
/// The four tag bytes that name the framing inside the header (spec/01 section 2.5).
/// All four are equal, so byte order does not matter.
/// </summary>
internal static class TransportTag
{
    private const uint Abridged = 0xefefefef;
    private const uint Intermediate = 0xeeeeeeee;
    private const uint Padded = 0xdddddddd;

    public static uint Of(Transport transport) => transport switch
    {
        Transport.Abridged => Abridged,
        Transport.Intermediate => Intermediate,
        Transport.Padded => Padded,
        _ => throw new UnreachableException($"Transport {(int)transport} has no tag"),
    };

    public static bool TryParse(uint tag, out Transport transport)
    {
        (transport, var known) = tag switch
        {
            Abridged => (Transport.Abridged, true),
            Intermediate => (Transport.Intermediate, true),
            Padded => (Transport.Padded, true),
            _ => (default, false),
        };
        return known;
    }
}
