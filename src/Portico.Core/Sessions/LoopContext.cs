using Portico.Core.Admission;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Sessions;

/// <summary>
/// What every step of a session needs of its loop, and nothing that
/// only one of them needs. One per loop and state of the settings: no locks, one thread.
/// </summary>
/// <param name="loop">The loop.</param>
/// <param name="settings">Deadlines and limits are taken from here.</param>
/// <param name="metrics">Of the whole proxy.</param>
/// <param name="sessions">Of the whole proxy.</param>
/// <param name="log">Of the whole proxy, for lines on sessions.</param>
/// <param name="addresses">Connections of one address that have shown no secret.</param>
/// <param name="random">Random bytes for this loop's flights and headers.</param>
/// <param name="events">Of the whole proxy, for whoever watches it.</param>
internal sealed class LoopContext(
    EventLoop loop, ProxySettings settings, ProxyMetrics metrics, SessionCount sessions, SessionLog log, AddressLimits addresses,
    RandomKeystream random, EventFeed events)
{
    public EventLoop Loop => loop;

    public ProxyMetrics Metrics => metrics;

    public SessionCount Sessions => sessions;

    public SessionLog Log => log;

    public EventFeed Events => events;

    public TimeoutSettings Timeouts { get; } = settings.Timeouts;

    public ResetOnClose ResetOnClose { get; } = settings.ResetOnClose;

    public RandomKeystream Random => random;

    public AddressLimits Addresses => addresses;

    // Not the settings themselves: a session that lives for days would keep all of them.
    private readonly bool _growsRecords = settings.RecordSizes == RecordSizes.Ramp;

    /// <summary>Where a client's records begin.</summary>
    public RecordRamp NewRamp() => _growsRecords ? RecordRamp.Growing() : RecordRamp.Full();
}
