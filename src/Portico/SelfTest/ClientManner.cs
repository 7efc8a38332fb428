using Portico.Protocol;
using Portico.Protocol.FakeTls;

namespace Portico.SelfTest;

/// <summary>How a client comes in.</summary>
/// <param name="Name">As in the names of checks.</param>
/// <param name="Transport">The framing of its packets.</param>
/// <param name="IsTls">Inside fake TLS.</param>
internal sealed record ClientManner(string Name, Transport Transport, bool IsTls = false)
{
    /// <summary>Every way in.</summary>
    public static IReadOnlyList<ClientManner> All { get; } =
    [
        new("abridged", Transport.Abridged),
        new("intermediate", Transport.Intermediate),
        new("secure", Transport.Padded),
        new("fake-tls", Transport.Padded, IsTls: true),
    ];

    /// <summary>Which generation of clients its hello looks like.</summary>
    public ClientHelloShape Shape { get; init; } = ClientHelloShape.PostQuantum;

    /// <summary>Records that its hello is cut into.</summary>
    public int HelloRecords { get; init; } = 1;

    /// <summary>Everything it sends comes in small segments.</summary>
    public bool InPieces { get; init; }
}
