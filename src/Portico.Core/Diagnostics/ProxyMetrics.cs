using System.Diagnostics.Metrics;
using System.Net.Sockets;
using Portico.Protocol;

namespace Portico.Core.Diagnostics;

/// <summary>
/// Every instrument of the data path. Events are counted as they happen (nothing is spent while nobody listens); bytes are summed up in
/// plain per-loop fields and read when somebody asks, because a counter call per message would be the dearest part of relaying it.
/// Labels are closed sets: never an SNI, a user's address or a secret.
/// </summary>
internal sealed class ProxyMetrics
{
    /// <summary>The meter all instruments belong to.</summary>
    public const string MeterName = "Portico";

    // Fine where networks are known to freeze flows: after the flight, and at 16 to 20 KB.
    private static readonly long[] LostAfterBounds =
        [1024, 4096, 8192, 12_288, 16_384, 20_480, 24_576, 32_768, 65_536, 262_144, 1_048_576, 16_777_216];

    // From a data centre next door to the end of our patience.
    private static readonly double[] ConnectBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10];
    private static readonly double[] WelcomeBounds = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120];

    // Around the time windows that operators set, and then time zones.
    private static readonly long[] SkewBounds = [10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400];

    private readonly Counter<long> _accepted;
    private readonly Counter<long> _closed;
    private readonly Counter<long> _protocolOk;
    private readonly Counter<long> _protocolError;
    private readonly Counter<long> _dcConnect;
    private readonly Counter<long> _cover;
    private readonly Counter<long> _timeouts;
    private readonly Counter<long> _acceptPaused;
    private readonly Counter<long> _configUpdates;
    private readonly Histogram<double> _dcConnectDuration;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _reloads;
    private readonly Counter<long> _earlyEnds;
    private readonly Counter<long> _overLimit;
    private readonly Counter<long> _policyRefused;
    private readonly Histogram<long> _lostAfter;
    private readonly Histogram<long> _clockSkew;
    private readonly Counter<long> _migrations;
    private readonly Counter<long> _backPressure;
    private readonly Histogram<double> _backPressureDuration;
    private readonly Histogram<int> _packetSize;
    private readonly Counter<long> _replayEvicted;
    private readonly Counter<long> _memoryShed;
    private readonly Counter<long> _webPages;
    private readonly Histogram<double> _webWelcome;
    private readonly Counter<long> _webRefused;
    private readonly Counter<long> _webAgain;
    private readonly Counter<long> _webRepeated;
    private readonly Counter<long> _storageErrors;
    private readonly Counter<long> _webEnded;
    private readonly Counter<long> _alerts;
    private volatile int _isReloadRefused;

    /// <param name="meters">Where the meter comes from.</param>
    /// <param name="sources">What is read when somebody asks.</param>
    public ProxyMetrics(IMeterFactory meters, MetricSources sources)
    {
        var meter = meters.Create(MeterName);
        _cover = meter.CreateCounter<long>("portico.cover", "{connection}", "Strangers who were to see the cover, by what became of it");
        _accepted = meter.CreateCounter<long>("portico.connections.accepted", "{connection}", "Connections accepted");
        _closed = meter.CreateCounter<long>(
            "portico.connections.closed", "{connection}", "Sessions ended, by reason and by whose doing it was");
        _protocolOk = meter.CreateCounter<long>("portico.protocol.ok", "{connection}", "Clients whose header was accepted, by protocol");
        _protocolError = meter.CreateCounter<long>(
            "portico.protocol.error", "{connection}", "Clients whose bytes were not accepted, by reason");
        _dcConnect = meter.CreateCounter<long>("portico.dc.connect", "{connection}", "Attempts to connect to a data centre, by result");
        _timeouts = meter.CreateCounter<long>("portico.timeouts", "{timeout}", "Deadlines that ended a session, by phase");
        _acceptPaused = meter.CreateCounter<long>(
            "portico.accept.paused", "{pause}", "Pauses in accepting for want of descriptors or memory");
        _configUpdates = meter.CreateCounter<long>(
            "portico.config.updates", "{download}",
            "Downloads of Telegram's configuration and questions for our external address, by result");
        _overLimit = meter.CreateCounter<long>(
            "portico.connections.over.limit", "{connection}",
            "Clients of ours that were treated as strangers because the listener had its maximum of sessions");
        _reloads = meter.CreateCounter<long>("portico.reload", "{reload}", "Configurations that were read again while running, by result");
        _policyRefused = meter.CreateCounter<long>(
            "portico.policy.refused", "{connection}", "Clients of ours that were treated as strangers because of a rule, by rule");
        _earlyEnds = meter.CreateCounter<long>(
            "portico.early.ends", "{connection}",
            "Connections that may have been clients of ours and ended before they relayed, by how far they came");
        _lostAfter = meter.CreateHistogram(
            "portico.client.lost.after", "By",
            "Bytes sent to authenticated clients whose connection was reset, vanished or took no more",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = LostAfterBounds });
        _clockSkew = meter.CreateHistogram(
            "portico.clock.skew", "s", "By how much the time of clients with a right secret differed from ours, who were refused for it",
            advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = SkewBounds });
        _dcConnectDuration = meter.CreateHistogram(
            "portico.dc.connect.duration", "s", "Time until a way to a data centre stood, of those that came about",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = ConnectBounds });
        _duration = meter.CreateHistogram<double>("portico.session.duration", "s", "Time from accept to the end of a session");
        _migrations = meter.CreateCounter<long>(
            "portico.migrations", "{client}", "Clients whose link to a middle proxy died, by what became of them");
        _backPressure = meter.CreateCounter<long>(
            "portico.dc.backpressure", "{pause}",
            "Pauses in reading a link because its clients took too little, by the limit reached");
        _backPressureDuration = meter.CreateHistogram<double>("portico.dc.backpressure.seconds", "s", "How long such pauses lasted");
        _packetSize = meter.CreateHistogram<int>("portico.packet.size", "By", "Packets in middle mode, without framing");
        _replayEvicted = meter.CreateCounter<long>(
            "portico.replay.evicted", "{item}", "Beginnings of clients that were forgotten for want of room");
        _memoryShed = meter.CreateCounter<long>(
            "portico.memory.shed", "{connection}", "Connections that ended for want of memory, by what they were");
        _storageErrors = meter.CreateCounter<long>(
            "portico.storage.errors", "{error}", "Times that users or their usage could not be kept or read");
        _webPages = meter.CreateCounter<long>("portico.web.pages", "{page}", "Times that a WEB proxy's page was shown to an app");
        _webWelcome = meter.CreateHistogram(
            "portico.web.welcome.duration", "s", "Time from showing the page to creating the session that it asks for",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = WelcomeBounds });
        _webAgain = meter.CreateCounter<long>(
            "portico.web.again", "{request}", "Requests of WEB proxies' apps that are to come again in a second");
        _webRepeated = meter.CreateCounter<long>(
            "portico.web.repeated", "{request}", "Requests of WEB proxies' apps that came again, as the answer did not arrive");
        _webRefused = meter.CreateCounter<long>(
            "portico.web.refused", "{request}", "Requests of WEB proxies' apps that were right and were refused, by reason");
        _alerts = meter.CreateCounter<long>(
            "portico.alerts", "{alert}", "Alerts that were to be posted, by kind and by what became of them");
        _webEnded = meter.CreateCounter<long>("portico.web.ended", "{session}", "Sessions of WEB proxies that ended, by reason");
        meter.CreateObservableGauge(
            "portico.reload.last.ok", () => 1L - _isReloadRefused, null, "Whether the configuration that was read last is in force");
        ProxyGauges.Publish(meter, sources);
        ProcessGauges.Publish(meter);
    }

    public void Alert(string kind, string result) =>
        _alerts.Add(1, new KeyValuePair<string, object?>("kind", kind), new("result", result));

    public void Accepted(string listener) => _accepted.Add(1, new KeyValuePair<string, object?>("listener", listener));

    public void Closed(string listener, CloseReason reason, double seconds)
    {
        var tag = new KeyValuePair<string, object?>("listener", listener);
        _closed.Add(1, tag, new("reason", reason.Tag()), new("side", reason.Side().Tag()));
        _duration.Record(seconds, tag);
        var phase = reason switch
        {
            CloseReason.HandshakeTimeout or CloseReason.HeaderTimeout => "handshake",
            CloseReason.IdleTimeout => "idle",
            CloseReason.ClientWriteTimeout => "write",
            _ => null,
        };
        if (phase is not null) _timeouts.Add(1, tag, new("phase", phase));
    }

    public void OverLimit(string listener) => _overLimit.Add(1, new KeyValuePair<string, object?>("listener", listener));

    /// <param name="rule">Position in the configuration.</param>
    /// <param name="kind">As the configuration calls it.</param>
    public void PolicyRefused(int rule, string kind) => _policyRefused.Add(1, new("rule", rule), new("kind", kind));

    /// <param name="listener">Its name.</param>
    /// <param name="reason">
    /// pages, sessions or streams: there have been too many; bodies: too many at a time; memory: it is full;
    /// forwarded: a server in front names no client.
    /// </param>
    public void WebRefused(string listener, string reason) => _webRefused.Add(1, new("listener", listener), new("reason", reason));

    /// <summary>A bridge page was shown.</summary>
    public void WebPage(string listener) => _webPages.Add(1, new KeyValuePair<string, object?>("listener", listener));

    /// <summary>A session was created.</summary>
    /// <param name="listener">Its name.</param>
    /// <param name="seconds">Since its page was shown.</param>
    public void WebWelcome(string listener, double seconds) =>
        _webWelcome.Record(seconds, new KeyValuePair<string, object?>("listener", listener));

    /// <summary>503.</summary>
    public void WebAgain(string listener) => _webAgain.Add(1, new KeyValuePair<string, object?>("listener", listener));

    /// <param name="listener">Its name.</param>
    /// <param name="isUp">With frames; else for frames.</param>
    public void WebRepeated(string listener, bool isUp) =>
        _webRepeated.Add(1, new("listener", listener), new("direction", isUp ? "client_to_dc" : "dc_to_client"));

    /// <param name="listener">Its name.</param>
    /// <param name="reason">Why, as logs have it.</param>
    public void WebEnded(string listener, string reason) => _webEnded.Add(1, new("listener", listener), new("reason", reason));

    public void EarlyEnd(string listener, EarlyEnd end) => _earlyEnds.Add(1, new("listener", listener), new("stage", end.Tag()));

    /// <summary>Users or usage could not be kept.</summary>
    public void StorageError() => _storageErrors.Add(1);

    /// <summary>An authenticated client did not take its leave.</summary>
    public void ClientLost(string listener, CloseReason reason, long sent) =>
        _lostAfter.Record(sent, new("listener", listener), new("end", reason == CloseReason.ClientReset ? "reset" : "write_timeout"));

    public void ProtocolOk(string listener, bool isFakeTls, Transport transport) =>
        _protocolOk.Add(1, new("listener", listener), new("protocol", ProtocolName(isFakeTls, transport)));

    /// <summary>Counted when it is noticed: a stranger's connection may go on for long.</summary>
    public void ProtocolError(string listener, CloseReason reason) =>
        _protocolError.Add(1, new("listener", listener), new("reason", reason.Tag()));

    public void DcConnect(int dc, SocketError result) =>
        _dcConnect.Add(1, new("dc", dc), new("result", result == SocketError.Success ? "ok" : ErrorName(result)));

    /// <summary>A way stands: direct mode, the client's connection, however many addresses were tried; middle mode, a link.</summary>
    public void DcConnected(int dc, long tookMs)
    {
        DcConnect(dc, SocketError.Success);
        _dcConnectDuration.Record(tookMs / 1000.0, new KeyValuePair<string, object?>("dc", dc));
    }

    public void Cover(string listener, string result) => _cover.Add(1, new("listener", listener), new("result", result));

    public void Reloaded(string result)
    {
        _isReloadRefused = result == "refused" ? 1 : 0;
        _reloads.Add(1, new KeyValuePair<string, object?>("result", result));
    }

    /// <summary>A client with a right secret was refused for its time.</summary>
    /// <param name="seconds">By how much its clock is ahead of ours.</param>
    public void ClockDiffers(long seconds) =>
        _clockSkew.Record(Math.Abs(seconds), new KeyValuePair<string, object?>("clock", seconds < 0 ? "behind" : "ahead"));

    public void Migrated(string listener, int dc, string result) =>
        _migrations.Add(1, new("listener", listener), new("dc", dc), new("result", result));

    public void DcBackPressure(int dc, string limit) => _backPressure.Add(1, new("dc", dc), new("state", limit));

    public void DcBackPressureEnded(int dc, double seconds)
    {
        var tag = new KeyValuePair<string, object?>("dc", dc);
        _backPressureDuration.Record(seconds, tag); // first, so that who waits for the end finds it
        _backPressure.Add(1, tag, new("state", "off"));
    }

    public void PacketFromClient(int bytes) => _packetSize.Record(bytes, new KeyValuePair<string, object?>("direction", "client_to_dc"));

    public void PacketFromTelegram(int bytes) => _packetSize.Record(bytes, new KeyValuePair<string, object?>("direction", "dc_to_client"));

    public void ServerErrorFiltered(string listener) =>
        _protocolError.Add(1, new("listener", listener), new("reason", "srv_error_filtered"));

    /// <summary>Forgotten before their time; within the time window they could be replayed now.</summary>
    public void ReplayEvicted(int items, bool isInWindow) =>
        _replayEvicted.Add(items, new KeyValuePair<string, object?>("age", isInWindow ? "in_window" : "past_window"));

    /// <summary>It was given up for want of memory.</summary>
    public void MemoryShed(string standing) => _memoryShed.Add(1, new KeyValuePair<string, object?>("standing", standing));

    public void AcceptPaused(string listener) => _acceptPaused.Add(1, new KeyValuePair<string, object?>("listener", listener));

    /// <summary>Counted per attempt.</summary>
    public void ConfigUpdated(string document, string result) => _configUpdates.Add(1, new("document", document), new("result", result));

    /// <summary>The label of a client's protocol, and its name in the log.</summary>
    public static string ProtocolName(bool isFakeTls, Transport transport) => transport switch
    {
        _ when isFakeTls => "fake_tls",
        Transport.Abridged => "abridged",
        Transport.Intermediate => "intermediate",
        _ => "secure",
    };

    private static string ErrorName(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "refused",
        SocketError.TimedOut => "timeout",
        SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.NetworkDown => "unreachable",
        SocketError.ConnectionReset => "reset",
        SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => "no_resources",
        SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable => "no_address",
        _ => "other",
    };
}
