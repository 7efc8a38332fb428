namespace Portico.Core.Diagnostics;

/// <summary>WEB sessions of one listener on one carrier.</summary>
/// <param name="Listener">Its name.</param>
/// <param name="Carrier">Of the carrier; none = no frame has travelled yet.</param>
/// <param name="Sessions">Sessions there are.</param>
/// <param name="Streams">Their streams.</param>
/// <param name="Parked">Requests for frames that wait.</param>
/// <param name="Begun">Sessions that there have been since the proxy began, those that have ended too; 0 with none.</param>
/// <param name="Opened">Streams, likewise.</param>
internal sealed record WebFigures(
    string Listener, string Carrier, int Sessions, int Streams, int Parked, long Begun, long Opened)
{
    /// <summary>In place of a carrier where no frame has travelled.</summary>
    public const string NoCarrier = "none";
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
