namespace Portico.Protocol.FakeTls;

/// <summary>
/// Which signing times of a hello are accepted (spec/02 section 4). The default value
/// of the type is a check that is off; <see cref="Default"/> is the one to start from.
/// </summary>
/// <param name="Enabled">Off: every time is accepted, and a recorded hello works again once the replay store has forgotten it.</param>
/// <param name="PastSeconds">How far the client's clock may be behind ours, inclusive.</param>
/// <param name="FutureSeconds">How far it may be ahead, inclusive.</param>
/// <param name="AcceptUnsetClock">
/// Accept clients that send uptime instead of time.
/// No window limits the reuse of such a hello: see <see cref="IsUnsetClock"/>.
/// </param>
public readonly record struct TimeWindow(bool Enabled, int PastSeconds, int FutureSeconds, bool AcceptUnsetClock)
{
    /// <summary>Times below this (27 September 1972) are taken for an uptime.</summary>
    public const uint UnsetClockLimit = 86_400_000;

    /// <summary>Ten minutes back, two ahead.</summary>
    public static TimeWindow Default { get; } = new(Enabled: true, PastSeconds: 600, FutureSeconds: 120, AcceptUnsetClock: false);

    /// <summary>
    /// Whether a hello signed at <paramref name="timestamp"/>
    /// is accepted at <paramref name="nowUnix"/>, both Unix seconds.
    /// </summary>
    public bool Accepts(uint timestamp, long nowUnix) =>
        !Enabled
        || (timestamp >= nowUnix - PastSeconds && timestamp <= nowUnix + FutureSeconds)
        || (AcceptUnsetClock && IsUnsetClock(timestamp));

    /// <summary>
    /// Whether the accepted hello must be remembered for ever (spec/02 section 4:
    /// a set of its own that never expires), because its time is no time.
    /// </summary>
    public static bool IsUnsetClock(uint timestamp) => timestamp < UnsetClockLimit;
}
