using Microsoft.Extensions.Logging;
using Portico.Core.Admission.Replay;
using Portico.Core.Backends.MiddleProxy;
using Portico.Core.Clients;
using Portico.Core.Cover;
using Portico.Core.Cover.Learning;
using Portico.Core.Diagnostics;
using Portico.Core.Handshake;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Telegram;

namespace Portico.Core;

/// <summary>What all loops share.</summary>
internal sealed class ProxyServices(ProxySettings settings, ILoggerFactory loggers, DcDirectory directory, X25519PointPool points)
{
    private readonly List<LoopServices> _loops = [];
    private int _sessions;

    public ProxySettings Settings => settings;

    public ILoggerFactory Loggers => loggers;

    public DcDirectory Directory => directory;

    public X25519PointPool Points => points;

    public MiddleProxyHealth MiddleProxyHealth { get; } = new(loggers.CreateLogger<MiddleProxyHealth>());

    public ProxyMetrics Metrics { get; set; } = null!;

    /// <summary>What strangers see.</summary>
    public CoverServices Cover { get; set; } = null!;

    /// <summary>Where the middle proxies are; nothing but the embedded ones unless an updater brings more.</summary>
    public MiddleProxyDirectory MiddleProxies { get; set; } = new(new MiddleProxyConfig(EmbeddedConfig.Secret, [EmbeddedConfig.V4, EmbeddedConfig.V6], (short)settings.Direct.DefaultDc)
    {
        ExternalV4 = settings.Middle.ExternalV4,
        ExternalV6 = settings.Middle.ExternalV6,
        AsOf = EmbeddedConfig.AsOf,
    });

    /// <summary>Keeps <see cref="MiddleProxies"/> up to date; null where no client goes through one.</summary>
    public ConfigUpdater? ConfigUpdater { get; set; }

    /// <summary>What was seen of clients.</summary>
    public ReplayMemory Replays { get; set; } = null!;

    /// <summary>What our flights copy, per listener.</summary>
    public LearnedFlights Flights { get; } = new(settings.Listeners.Length);

    /// <summary>Hellos of <see cref="FlightLearner"/> under way, to be known should one come back to us.</summary>
    public LearnerHellos LearnerHellos { get; } = new();

    /// <summary>Keeps <see cref="Flights"/> up to date; null without a cover.</summary>
    public FlightLearner? FlightLearner { get; set; }

    /// <summary>Completes when the last session is gone while a stop waits for it.</summary>
    public TaskCompletionSource? WhenEmpty { get; set; }

    public IReadOnlyList<LoopServices> Loops => _loops;

    public int SessionCount => Volatile.Read(ref _sessions);

    public void Add(LoopServices loop) => _loops.Add(loop);

    /// <summary>How many authenticated sessions a listener may have: with a cover, some descriptors are kept for strangers.</summary>
    public int MostSessionsOf(ListenerSettings listener)
    {
        var sessions = ProcessLimits.Sessions();
        if (settings.Cover.Mode == CoverMode.Off || sessions == 0) return listener.MaxConnections;
        return (int)Math.Clamp(sessions - Cover.Budget.Most, 1, listener.MaxConnections);
    }

    public LoopServices Of(EventLoop loop) => _loops[loop.Index];

    public void SessionOpened() => Interlocked.Increment(ref _sessions);

    public void SessionClosed()
    {
        if (Interlocked.Decrement(ref _sessions) == 0) WhenEmpty?.TrySetResult();
    }
}
