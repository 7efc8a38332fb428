using Microsoft.Extensions.Logging;
using Portico.Core.Admission;
using Portico.Core.Backends;
using Portico.Core.Backends.Direct;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Cover;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Protocol.Crypto;
using Portico.Protocol.FakeTls;

namespace Portico.Core.Clients;

/// <summary>What the sessions of one loop share: no locks, one thread.</summary>
internal sealed class LoopServices
{
    private readonly Judge[] _judges;
    private readonly ListenerCounters[] _counters;
    private readonly Dictionary<int, DcCounters> _dcs = [];

    public LoopServices(EventLoop loop, ProxyServices proxy, int loops)
    {
        Loop = loop;
        Proxy = proxy;
        Handshakes = new HandshakePool(loop);
        CoverGuests = new CoverGuests(proxy.Cover.Budget, EvictElsewhere);
        Addresses = new AddressLimits(proxy.Settings.Limits, loops);
        Direct = new DirectBackend(this);
        Middle = new MiddleProxyBackend(this);
        Backends = new BackendChoice(this);
        var window = proxy.Settings.TimeWindow;
        var accepted = new TimeWindow(window.Enabled, window.PastSeconds, window.FutureSeconds, window.AcceptUnsetClock);
        _judges = [.. proxy.Settings.Listeners.Select(listener => new Judge(listener, accepted, proxy.Settings.PerSni))];
        _counters = [.. proxy.Settings.Listeners.Select(listener => new ListenerCounters(listener.Name))];
        LinkLog = proxy.Loggers.CreateLogger<MiddleProxyConnection>();
        SessionLog = proxy.Loggers.CreateLogger<ClientSession>();
    }

    public EventLoop Loop { get; }

    public ProxyServices Proxy { get; }

    public HandshakePool Handshakes { get; }

    /// <summary>This loop's strangers at the cover.</summary>
    public CoverGuests CoverGuests { get; }

    /// <summary>Random bytes for this loop's flights and headers.</summary>
    public RandomKeystream Random { get; } = new();

    public AddressLimits Addresses { get; }

    public BackendChoice Backends { get; }

    public DirectBackend Direct { get; }

    public MiddleProxyBackend Middle { get; }

    public OutputQueuePool OutputQueues { get; } = new();

    /// <summary>Where a client's records begin.</summary>
    public RecordRamp NewRamp() => Proxy.Settings.RecordSizes == RecordSizes.Ramp ? RecordRamp.Growing() : RecordRamp.Full();

    public TimeoutSettings Timeouts => Proxy.Settings.Timeouts;

    public ProxyMetrics Metrics => Proxy.Metrics;

    public ILogger SessionLog { get; }

    public ILogger LinkLog { get; }

    /// <summary>Counters of every DC that was asked for, for readers on any thread.</summary>
    public IEnumerable<DcCounters> DcCounters
    {
        get
        {
            lock (_dcs) return [.. _dcs.Values];
        }
    }

    /// <summary>This loop's counters of a data centre.</summary>
    public DcCounters CountersOf(int dc)
    {
        lock (_dcs)
        {
            if (!_dcs.TryGetValue(dc, out var counters)) _dcs[dc] = counters = new DcCounters(dc);
            return counters;
        }
    }

    public IEnumerable<ListenerCounters> ListenerCounters => _counters;

    public Judge JudgeOf(ClientListener listener) => _judges[listener.Index];

    public ListenerCounters CountersOf(ClientListener listener) => _counters[listener.Index];

    // Not on this loop, where the only one to send away is the newcomer for whom a place is wanted.
    private void EvictElsewhere()
    {
        foreach (var other in Proxy.Loops)
        {
            if (other != this) other.Loop.Post(other.CoverGuests.EvictIfExceeded);
        }
    }
}
