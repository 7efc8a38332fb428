using System.Collections.Immutable;

namespace Portico.IntegrationTests.Cover.Probes;

/// <summary>One question of a prober who knows no secret.</summary>
/// <param name="Id">Its number in the table of probes.</param>
/// <param name="Input">In words.</param>
/// <param name="Expected">
/// What nginx 1.22 with OpenSSL 3.0 says, in the notation of <see cref="Observation"/>;
/// see <see cref="ProbeTable"/> for the abbreviations.
/// </param>
/// <param name="Steps">What is done, in order.</param>
internal sealed record Probe(string Id, string Input, string Expected, ImmutableArray<ProbeStep> Steps)
{
    public override string ToString() => $"{Id} {Input}";
}

/// <summary>A step of a probe: bytes, or one of the others.</summary>
internal sealed class ProbeStep
{
    /// <summary>Wait until the server has said as much as it says to an honest hello.</summary>
    public static readonly ProbeStep AwaitFlight = new();

    /// <summary>FIN.</summary>
    public static readonly ProbeStep Finish = new();

    public byte[] Bytes { get; private init; } = [];

    /// <summary>Bytes per segment.</summary>
    public int Piece { get; private init; }

    public static ProbeStep Send(byte[] bytes, int piece = int.MaxValue) => new() { Bytes = bytes, Piece = piece };

    public static implicit operator ProbeStep(byte[] bytes) => Send(bytes);
}
