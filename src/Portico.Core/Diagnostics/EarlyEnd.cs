using System.Diagnostics;

namespace Portico.Core.Diagnostics;

/// <summary>
/// How far a client came that may have been ours and never relayed. Networks that block by the look of a hello or of a
/// flow stop clients at one and the same step, and the proxy seems broken: this tells them apart (docs/metrics.md).
/// </summary>
internal enum EarlyEnd : byte
{
    /// <summary>A connection without a byte: the hello was held back on the way, or somebody looked whether the port is open.</summary>
    NoBytes,

    /// <summary>The beginning of what a client of ours sends, and no more.</summary>
    PartialHello,

    /// <summary>A right hello, our flight, and then nothing: the flight or what follows it was held back.</summary>
    SilentAfterFlight,

    /// <summary>A right hello and a part of the 64-byte header.</summary>
    PartialHeader,
}

/// <summary>What metrics call an <see cref="EarlyEnd"/>.</summary>
internal static class EarlyEnds
{
    public static string Tag(this EarlyEnd end) => end switch
    {
        EarlyEnd.NoBytes => "no_bytes",
        EarlyEnd.PartialHello => "partial_hello",
        EarlyEnd.SilentAfterFlight => "silent_after_flight",
        EarlyEnd.PartialHeader => "partial_header",
        _ => throw new UnreachableException($"EarlyEnd {(int)end} has no tag"),
    };
}
