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

    private readonly Counter<long> _accepted;
    private readonly Counter<long> _closed;
    private readonly Counter<long> _protocolOk;
    private readonly Counter<long> _protocolError;
    private readonly Counter<long> _dcConnect;
    private readonly Counter<long> _cover;
    private readonly Counter<long> _timeouts;
    private readonly Counter<long> _acceptPaused;
    private readonly Counter<long> _configUpdates;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _reloads;
    private readonly Counter<long> _earlyEnds;
    private readonly Counter<long> _overLimit;
    private readonly Counter<long> _policyRefused;
    private readonly Histogram<long> _lostAfter;
    private readonly Counter<long> _migrations;
    private readonly Counter<long> _backPressure;
    private readonly Histogram<double> _backPressureDuration;
    private readonly Histogram<int> _packetSize;

    private readonly Counter<long> _replayEvicted;
    private readonly Counter<long> _memoryShed;

    /// <param name="meters">Where the meter comes from.</param>
    /// <param name="listeners">Counters of every listener on every loop.</param>
    /// <param name="dcs">Counters of every data centre on every loop.</param>
    /// <param name="coverLimit">How many strangers may be at the cover at a time; null = there is none.</param>
    /// <param name="replays">Beginnings of clients that are remembered, and the memory they take; null = none.</param>
    /// <param name="strangerTrials">For each listener the secrets that a hello for nobody's own domain is tried with; null = none.</param>
    /// <param name="strangerNetworks">Networks whose callers are not tried now, of each loop; null = none.</param>
    /// <param name="memory">Memory in use, and its limit, and how short it is; null = nobody looks.</param>
    public ProxyMetrics(
        IMeterFactory meters, Func<IEnumerable<ListenerCounters>> listeners,
        Func<IEnumerable<DcCounters>> dcs, Func<long>? coverLimit = null, Func<ReplayFigures>? replays = null,
        Func<IEnumerable<(string Listener, int Secrets)>>? strangerTrials = null, Func<long>? strangerNetworks = null,
        Func<(long Used, long Limit, int Level)>? memory = null)
    {
        var meter = meters.Create(MeterName);
        meter.CreateObservableGauge(
            "portico.cover.limit", coverLimit ?? (() => 0), "{connection}", "Most strangers at the cover at a time");
        _cover = meter.CreateCounter<long>("portico.cover", "{connection}", "Strangers who were to see the cover, by what became of it");
        _accepted = meter.CreateCounter<long>("portico.connections.accepted", "{connection}", "Connections accepted");
        _closed = meter.CreateCounter<long>(
            "portico.connections.closed", "{connection}", "Sessions ended, by reason and by whose doing it was");
        _protocolOk = meter.CreateCounter<long>("portico.protocol.ok", "{connection}", "Clients whose header was accepted, by protocol");
        _protocolError = meter.CreateCounter<long>(
            "portico.protocol.error", "{connection}", "Clients whose bytes were not accepted, by reason");
        _dcConnect = meter.CreateCounter<long>("portico.dc.connect", "{connection}", "Attempts to connect to a data centre, by result");
        meter.CreateObservableGauge(
            "portico.stranger.trials",
            () => (strangerTrials?.Invoke() ?? []).Select(
                it => new Measurement<int>(it.Secrets, new KeyValuePair<string, object?>("listener", it.Listener))),
            "{secret}", "Secrets that a stranger's hello is tried with");
        meter.CreateObservableGauge(
            "portico.stranger.networks", strangerNetworks ?? (() => 0), "{network}",
            "Networks whose callers failed so often that they are not tried with all secrets now");
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
        meter.CreateObservableGauge(
            "portico.replay.items", () => replays?.Invoke().Items ?? 0, "{item}", "Beginnings of clients that are remembered");
        meter.CreateObservableGauge("portico.replay.bytes", () => replays?.Invoke().Bytes ?? 0, "By", "Memory that they take");
        meter.CreateObservableGauge(
            "portico.replay.disk.bytes", () => replays?.Invoke().DiskBytes ?? 0, "By", "Size of the files that they are kept in");
        meter.CreateObservableCounter(
            "portico.replay.unsaved", () => replays?.Invoke().Unsaved ?? 0, "{item}",
            "Beginnings of clients that could not be written to the files");
        meter.CreateObservableGauge(
            "portico.memory.bytes", () => memory?.Invoke().Used ?? 0, "By", "Memory in use where it is shortest");
        meter.CreateObservableGauge("portico.memory.limit.bytes", () => memory?.Invoke().Limit ?? 0, "By", "Its limit");
        meter.CreateObservableGauge("portico.memory.level", () => (long)(memory?.Invoke().Level ?? 0), null, "How short it is");
        _memoryShed = meter.CreateCounter<long>(
            "portico.memory.shed", "{connection}", "Connections that ended for want of memory, by what they were");
        meter.CreateObservableGauge(
            "portico.dc.connections", () => Summed(dcs(), "dc", d => d.Dc, d => d.Connections),
            "{connection}", "Links to middle proxies that are ready");
        meter.CreateObservableGauge(
            "portico.dc.clients", () => Summed(dcs(), "dc", d => d.Dc, d => d.Clients),
            "{client}", "Clients on links to middle proxies");
        meter.CreateObservableGauge(
            "portico.dc.ports.used", () => Summed(dcs(), "dc", d => d.Dc, d => d.Ports),
            "{port}", "Local ports that connections to a data centre take, one per client");
        meter.CreateObservableCounter(
            "portico.client.received", () => Summed(listeners(), "listener", l => l.Name, l => l.ClientReceived),
            "By", "Bytes read from clients");
        meter.CreateObservableCounter(
            "portico.client.sent", () => Summed(listeners(), "listener", l => l.Name, l => l.ClientSent),
            "By", "Bytes written to clients");
        meter.CreateObservableCounter(
            "portico.dc.received", () => Summed(dcs(), "dc", d => d.Dc, d => d.Received), "By", "Bytes read from data centres");
        meter.CreateObservableCounter(
            "portico.dc.sent", () => Summed(dcs(), "dc", d => d.Dc, d => d.Sent), "By", "Bytes written to data centres");
        meter.CreateObservableGauge(
            "portico.connections", () => listeners().GroupBy(l => l.Name).SelectMany(Open),
            "{connection}", "Open connections, by state");
    }

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

    public void EarlyEnd(string listener, EarlyEnd end) => _earlyEnds.Add(1, new("listener", listener), new("stage", end.Tag()));

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

    public void Cover(string listener, string result) => _cover.Add(1, new("listener", listener), new("result", result));

    public void Reloaded(string result) => _reloads.Add(1, new KeyValuePair<string, object?>("result", result));

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

    // One measurement per label: readers that do not add up would keep the last loop's alone.
    private static IEnumerable<Measurement<long>> Summed<TCounters, TKey>(
        IEnumerable<TCounters> loops, string label, Func<TCounters, TKey> key, Func<TCounters, long> value) =>
        loops.GroupBy(key).Select(group => new Measurement<long>(group.Sum(value), new KeyValuePair<string, object?>(label, group.Key)));

    private static IEnumerable<Measurement<long>> Open(IGrouping<string, ListenerCounters> listener)
    {
        var (open, relaying, cover) = (
            listener.Sum(loop => loop.Open), listener.Sum(loop => loop.Relaying), listener.Sum(loop => loop.Cover));
        yield return new(open - relaying - cover, new("listener", listener.Key), new("state", "handshake"));
        yield return new(relaying, new("listener", listener.Key), new("state", "relaying"));
        yield return new(cover, new("listener", listener.Key), new("state", "cover"));
    }
}
