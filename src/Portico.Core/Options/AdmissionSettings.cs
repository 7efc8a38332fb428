using System.Text;

namespace Portico.Core.Options;

/// <summary>The window of spec/02 section 4.</summary>
public sealed record TimeWindowSettings
{
    /// <summary>Off: a recorded hello works again as soon as it is forgotten.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Seconds that a hello may be old.</summary>
    public int PastSeconds { get; init; } = 600;

    /// <summary>Seconds that a client's clock may be ahead.</summary>
    public int FutureSeconds { get; init; } = 120;

    /// <summary>Accept hellos whose time is an uptime, each of them once for ever.</summary>
    public bool AcceptUnsetClock { get; init; }
}

/// <summary>What is remembered of clients, to tell who repeats one (spec/05 section 5).</summary>
public sealed record ReplaySettings
{
    /// <summary>Off: nothing is remembered.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Items at a time.</summary>
    public int MaxItems { get; init; } = 4_000_000;

    /// <summary>Bytes that they may take.</summary>
    public long MaxBytes { get; init; } = 512L << 20;

    /// <summary>Bytes that their files may take.</summary>
    public long MaxDiskBytes { get; init; } = 2048L << 20;

    /// <summary>How long each is remembered, unless there is no room.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromDays(30);
}

/// <summary>How secrets are derived for each domain (spec/02 section 9).</summary>
/// <param name="Salt">UTF-8.</param>
public sealed record PerSniSettings(ReadOnlyMemory<byte> Salt)
{
    /// <summary>With the salt as the operator writes it.</summary>
    public static PerSniSettings Of(string salt) => new(Encoding.UTF8.GetBytes(salt));
}

/// <summary>Limits of those who have shown nothing yet.</summary>
public sealed record LimitSettings
{
    /// <summary>Connections of one address that have shown no secret; 0 = any number.</summary>
    public int UnauthenticatedPerAddress { get; init; } = 1024;

    /// <summary>Callers of one address that may be tried with all secrets in vain, a second; 0 = any number.</summary>
    public int StrangersPerSecond { get; init; } = 16;

    /// <summary>How many of them may come at once.</summary>
    public int StrangerBurst { get; init; } = 64;

    /// <summary>Count this machine's own addresses as well. They are those of forwarders, so only tests want it.</summary>
    public bool CountsLoopback { get; init; }
}

/// <summary>When a client's connection ends with RST (spec/05 section 3.9).</summary>
public enum ResetOnClose
{
    /// <summary>Never by our own choice.</summary>
    Off,

    /// <summary>When it was not let in and nothing was sent to it.</summary>
    HandshakeError,

    /// <summary>Also at the end of a relay.</summary>
    Always,
}

/// <summary>How long the records to fake-TLS clients are (spec/02 section 11).</summary>
public enum RecordSizes
{
    /// <summary>As long as there is something to send.</summary>
    Full,

    /// <summary>Short at first and after a pause, then longer.</summary>
    Ramp,
}
