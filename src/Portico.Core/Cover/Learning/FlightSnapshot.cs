using Portico.Protocol.FakeTls;

namespace Portico.Core.Cover.Learning;

/// <summary>What is known of one cover's TLS answer at one moment, for people.</summary>
/// <param name="Domain">The name that was asked for: the one in the links of some listeners.</param>
/// <param name="Target">The cover, as the operator wrote it.</param>
public sealed record FlightSnapshot(string Domain, string Target)
{
    /// <summary>When it was measured last; null = never, and our flights have a random size.</summary>
    public DateTimeOffset? LearnedAt { get; init; }

    /// <summary>Its choice among 1301, 1302, 1303 in this order; 0 = not known.</summary>
    public ushort CipherSuite { get; init; }

    /// <summary>Group of its key share for older clients; 0 = not known. Ours is always 001d.</summary>
    public ushort ClassicGroup { get; init; }

    /// <summary>The same for clients with a post-quantum share; a cover that answers 11ec here can be told from us.</summary>
    public ushort PostQuantumGroup { get; init; }

    /// <summary>Order of the extensions in its hello.</summary>
    public ServerExtensionOrder Order { get; init; }

    /// <summary>Bytes of the record that stands for its shortest encrypted flight; 0 = not known.</summary>
    public int SmallestRecord { get; init; }

    /// <summary>The same of the longest. Ours has at most <see cref="ServerFlight.MaxAppDataLength"/>.</summary>
    public int LargestRecord { get; init; }

    /// <summary>In what our flight differs from the cover's although it was learned.</summary>
    public FlightNotice Notices { get; init; }

    /// <summary>Why the last attempt failed; what was learned before stays in force.</summary>
    public FlightProblem Problem { get; init; }

    /// <summary>When it is asked again.</summary>
    public DateTimeOffset NextAttempt { get; init; }
}

/// <summary>Differences between a cover's flight and the best copy of it that clients take.</summary>
[Flags]
public enum FlightNotice
{
    /// <summary>None known.</summary>
    None = 0,

    /// <summary>It is longer than <see cref="ServerFlight.MaxAppDataLength"/>, which is all that clients on iOS take.</summary>
    TooLarge = 1,

    /// <summary>It answers a post-quantum share with one of its own, we with x25519.</summary>
    AnswersPostQuantum = 2,

    /// <summary>Its hello holds more extensions than key_share and supported_versions.</summary>
    OtherExtensions = 4,
}
