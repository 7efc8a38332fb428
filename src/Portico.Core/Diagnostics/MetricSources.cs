namespace Portico.Core.Diagnostics;

/// <summary>WEB sessions of one listener on one carrier.</summary>
/// <param name="listener">Its name.</param>
/// <param name="carrier">Of the carrier; <see cref="NoCarrier"/> = no frame has travelled yet.</param>
internal sealed class WebFigures(string listener, string carrier)
{
    /// <summary>In place of a carrier where no frame has travelled.</summary>
    public const string NoCarrier = "none";

    public string Listener => listener;

    public string Carrier => carrier;

    /// <summary>Sessions there are.</summary>
    public int Sessions { get; set; }

    /// <summary>Their streams.</summary>
    public int Streams { get; set; }

    /// <summary>Requests for frames that wait.</summary>
    public int Parked { get; set; }

    /// <summary>Sessions that there have been since the proxy began, those that have ended too; of a carrier.</summary>
    public long Begun { get; set; }

    /// <summary>Streams, likewise.</summary>
    public long Opened { get; set; }
}

/// <summary>What the streams of one listener's WEB sessions have carried since the proxy began.</summary>
/// <param name="Listener">Its name.</param>
/// <param name="Received">Bytes from apps.</param>
/// <param name="Sent">Bytes to apps, those that had to be repeated counted once.</param>
internal sealed record WebBytes(string Listener, long Received, long Sent);

/// <summary>What gauges and sums are read from, when somebody asks and from whatever thread. What is left out is nothing.</summary>
internal sealed class MetricSources
{
    /// <summary>Counters of every listener on every loop.</summary>
    public Func<IEnumerable<ListenerCounters>> Listeners { get; init; } = () => [];

    /// <summary>Counters of every data centre on every loop.</summary>
    public Func<IEnumerable<DcCounters>> Dcs { get; init; } = () => [];

    /// <summary>For each listener how many authenticated sessions it may have.</summary>
    public Func<IEnumerable<(string Listener, int Most)>> SessionLimits { get; init; } = () => [];

    /// <summary>How many strangers may be at the cover at a time.</summary>
    public Func<long> CoverLimit { get; init; } = () => 0;

    /// <summary>Beginnings of clients that are remembered.</summary>
    public Func<ReplayFigures> Replays { get; init; } = () => default;

    /// <summary>For each listener the secrets that a hello for nobody's own domain is tried with.</summary>
    public Func<IEnumerable<(string Listener, int Secrets)>> StrangerTrials { get; init; } = () => [];

    /// <summary>Networks whose callers are not tried now, of each loop.</summary>
    public Func<long> StrangerNetworks { get; init; } = () => 0;

    /// <summary>How many networks the loops have room for.</summary>
    public Func<long> StrangerRoom { get; init; } = () => 0;

    /// <summary>WEB sessions of each listener and carrier, and their streams.</summary>
    public Func<IEnumerable<WebFigures>> Web { get; init; } = () => [];

    /// <summary>What the WEB sessions of each listener have carried.</summary>
    public Func<IEnumerable<WebBytes>> WebBytes { get; init; } = () => [];

    /// <summary>Memory in use, its limit, and how short it is.</summary>
    public Func<(long Used, long Limit, int Level)> Memory { get; init; } = () => default;
}
