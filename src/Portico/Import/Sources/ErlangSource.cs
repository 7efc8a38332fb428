using System.Globalization;
using System.Text.Json.Nodes;
using Portico.Core.Options;
using Portico.Import.Reading;

namespace Portico.Import.Sources;

/// <summary>mtproto_proxy of seriyps: a sys.config of Erlang terms.</summary>
internal sealed class ErlangSource : ImportSource
{
    public const string From = "erlang";

    private const string App = "mtproto_proxy";

    // What its own defaults are, and its links name.
    private const int DefaultPort = 1443;
    private const string DefaultSecret = "d0d6e111bada5511fcce9584deadbeef", DefaultTag = "dcbe8f1493fa4cd9ab300891c0b5b326";
    private const string LinkDomain = "s3.amazonaws.com";
    private const int MinutesPerDay = 24 * 60;

    private readonly JsonArray _policy = [];
    private readonly JsonObject _tables = [];
    private readonly Labels _names = new();
    private string _address = "0.0.0.0";
    private int? _maxConnections;
    private string? _domain, _externalIp;
    private ForeignValue? _ports;
    private List<string> _protocols = ["fake-tls", "secure", "classic"];

    // The form of its first versions: one listener, its values beside everything else.
    private ForeignValue? _port, _secret, _tag;

    public override string Name => From;

    public override string Title => "`mtproto_proxy` (Erlang)";

    // Its page is longer than its keys: metrics and console calls are on it too.
    public override MigrationWords? Words => null;

    public override IReadOnlyList<KeyRule> Rules =>
    [
        new("listen_ip", "listeners[].address", "`::` is dual stack, and IPv4 clients are seen as such", value =>
            _address = AddressOf(value)),
        new("ports", "listeners[]: name, address, port, secret, adTag",
            "several users per listener are possible, each with secret and tag of their own", value => _ports = value),
        new("port", "listeners[].port", "of first versions", value => _port = value),
        new("secret", "listeners[].secret", "likewise", value => _secret = value),
        new("tag", "listeners[].adTag", "likewise", value => _tag = value),
        None("num_acceptors", "each event loop accepts for itself; leave it away"),
        new("max_connections", "listeners[].maxConnections", "counts clients that have shown a secret", value =>
            _maxConnections = Told.Number(value, "max_connections") is { } most ? Clients(most) : null),
        new("allowed_protocols", "listeners[].protocols", "`classic` is both `mtp_abridged` and `mtp_intermediate`", TakeProtocols),
        new("policy", "policy, tables", "the keys keep their names; what tables held is not in the file", TakePolicy),
        Flag("per_sni_secrets", "fakeTls.perSniSecrets.enabled", "the same derivation: links stay valid"),
        Text("per_sni_secret_salt", "fakeTls.perSniSecrets.salt", "the same default"),
        Number("init_timeout_sec", "timeouts.handshakeSeconds", "bytes do not extend it"),
        None("hibernate_timeout_sec", "a session has no process that could sleep; leave it away"),
        Number("ready_timeout_sec", "timeouts.idleSeconds"),
        new("reset_close_socket", "resetOnClose", "`handshake_error` is `handshake-error`", value =>
        {
            if (Word(value, "reset_close_socket", "off", "handshake_error", "always") is { } when)
                Told.Set("resetOnClose", when.Replace('_', '-'));
        }),
        new("replay_check_server_error_filter", "replay.serverErrorFilter", "the same three values", value =>
        {
            if (Word(value, "replay_check_server_error_filter", "first", "on", "off") is { } when)
                Told.Set("replay.serverErrorFilter", when);
        }),
        Flag("replay_check_session_storage", "replay.enabled"),
        new("replay_check_session_storage_opts", "replay: maxItems, maxMemoryMb, maxAgeDays", "minutes become whole days", value =>
            TakeEach(value, "replay_check_session_storage_opts", [
                Number("max_items", "replay.maxItems"), Number("max_memory_mb", "replay.maxMemoryMb"),
                new("max_age_minutes", "", "", age =>
                {
                    if (Told.Number(age, "max_age_minutes") is { } minutes)
                        Told.SetNumber("replay.maxAgeDays", (minutes + MinutesPerDay - 1) / MinutesPerDay, age.Line, "max_age_minutes");
                }),
            ])),
        None("upstream_socket_buffer_size", "each loop has one area for all its clients; leave it away"),
        new("upstream_send_timeout_ms", "timeouts.clientWriteSeconds", "seconds without a byte taken, not for a whole send", value =>
        {
            if (Told.Number(value, "upstream_send_timeout_ms") is { } ms)
                Told.SetNumber("timeouts.clientWriteSeconds", (ms + 999) / 1000, value.Line, "upstream_send_timeout_ms");
        }),
        None("downstream_socket_buffer_size", "a link holds a buffer only while a frame is incomplete; leave it away"),
        Flag("mtp_full_check_crc32", "backend.middle.checkCrc"),
        Text("proxy_secret_url", "backend.middle.secretUrl"),
        Text("proxy_config_url", "backend.middle.configUrl"),
        Number("core_api_http_timeout_ms", "backend.middle.httpTimeoutMs"),
        Number("conf_refresh_interval", "backend.middle.refreshSeconds"),
        new("ip_lookup_services", "backend.middle.ipLookupServices", "their failure does not stop the rest", value =>
            Told.Set("backend.middle.ipLookupServices", Texts(value, "ip_lookup_services"))),
        new("external_ip", "backend.middle.externalIp, listeners[].publicHost", "links show it, as there", value =>
        {
            if (Told.Text(value, "external_ip") is not { Length: > 0 } ip) return;
            _externalIp = ip;
            Told.Set("backend.middle.externalIp", ip);
        }),
        new("upstream_healthchecks", "health: clientQueuePackets, clientQueueBytes",
            "`gc` has no counterpart: buffers go back to their pool", value =>
            TakeEach(value, "upstream_healthchecks", [
                Number("qlen", "health.clientQueuePackets"), Number("total_mem", "health.clientQueueBytes"),
                None("gc", "buffers go back to their pool when they are empty; leave it away"),
            ])),
        Number("init_dc_connections", "backend.middle.initialConnections", "over all event loops"),
        Number("clients_per_dc_connection", "backend.middle.clientsPerConnection"),
        new("downstream_backpressure", "backend.middle.backpressure", "`bytes_per_upstream` is `bytesPerClient`, and so on", value =>
            TakeEach(value, "downstream_backpressure", [
                Number("bytes_total", "backend.middle.backpressure.bytesTotal"),
                Number("packets_total", "backend.middle.backpressure.packetsTotal"),
                Number("bytes_per_upstream", "backend.middle.backpressure.bytesPerClient"),
                new("packets_per_upstream", "", "", TakePackets),
            ])),
        new("domain_fronting", "cover: mode, target", "everybody who is not ours sees it, not only hellos with a wrong digest",
            TakeFronting),
        Number("domain_fronting_timeout_sec", "cover.connectTimeoutSeconds"),
        None("metric_backend", "`/metrics` of the administration answers Prometheus, and `telemetry.otlp` sends to a collector: name the "
            + "scraper there"),
        None("node_role", "Portico is one process; for now, convert the front's file, and let it reach Telegram itself"),
        None("back_node", "likewise"),
    ];

    protected override ForeignValue Read(string text)
    {
        var file = ErlangReader.Read(text);
        if (file.Kind != ForeignKind.List)
            throw new ForeignFormatException(file.Line, "must be a list of applications, as in a sys.config");
        ForeignValue? ours = null;
        foreach (var app in file.Items)
        {
            if (app is not { Kind: ForeignKind.Tuple, Items: [{ Kind: ForeignKind.Word, Text: var name }, var settings] })
                Told.Left.Add(new(app.Line, "", "holds something that is no application; another file that is named there is not read"));
            else if (name == App) ours = settings;
            else Told.Left.Add(new(app.Line, name, "is another application of Erlang; ours logs to stderr, see --log-level and "
                + "--log-format"));
        }

        return ours is null
            ? throw new ForeignFormatException(file.Line, $"holds no application {App}")
            : Properties(ours) ?? throw new ForeignFormatException(ours.Line, $"must hold keys and values of {App}");
    }

    protected override void Finish()
    {
        if (_ports is null) FinishWithoutPorts();
        else if (_ports.Kind != ForeignKind.List) Told.Fail(_ports.Line, "ports", "must be a list");
        else foreach (var port in _ports.Items) AddListener(port);
        if (Told.Listeners.Count == 0 && Told.Errors.Count == 0)
            Told.Fail(_ports?.Line ?? 0, "ports", "is empty: nobody could connect");
        if (_policy.Count > 0) Told.Set("policy", _policy);
        if (_tables.Count > 0) Told.Set("tables", _tables);
        if (_protocols.Contains("fake-tls"))
        {
            Told.Remark(0, "domain", $"links name {_domain ?? LinkDomain}{(_domain is null ? ", as those of the Erlang proxy do" : "")}; "
                + "links with any other name work on, and `portico link --domain NAME` prints them");
        }
    }

    private void FinishWithoutPorts()
    {
        if (_secret is null)
        {
            Told.Remark(0, "ports", "is missing, so the port, secret and tag are those that the Erlang proxy brings, which everybody "
                + "knows");
            Add(null, _address, DefaultPort, DefaultSecret, DefaultTag);
            return;
        }

        var secret = Told.Secret(_secret, "secret");
        var port = _port is null ? DefaultPort : Told.Port(_port, "port");
        var tag = _tag is null ? null : Told.AdTag(_tag, "tag");
        if (secret is not null && port is not null) Add(null, _address, port.Value, secret, tag);
    }

    private void AddListener(ForeignValue written)
    {
        if (Properties(written) is not { } properties)
        {
            Told.Fail(written.Line, "ports", "must hold maps or lists of keys and values");
            return;
        }

        var (name, address, port, secret, tag) = ((string?)null, _address, (int?)DefaultPort, (string?)null, (string?)null);
        var hasSecret = false;
        foreach (var (key, value) in properties.Entries)
        {
            var path = $"ports.{key}";
            switch (key)
            {
                case "name":
                    name = value.Kind is ForeignKind.Word or ForeignKind.Text ? _names.Take(value.Text) : null;
                    break;
                case "listen_ip":
                    address = AddressOf(value);
                    break;
                case "port":
                    port = Told.Port(value, path);
                    break;
                case "secret":
                    hasSecret = true;
                    secret = Told.Secret(value, path);
                    break;
                case "tag":
                    tag = Told.AdTag(value, path);
                    break;
                default:
                    Told.Left.Add(new(value.Line, path, "is no key of a port that is known here"));
                    break;
            }
        }

        if (!hasSecret) Told.Fail(written.Line, "ports.secret", "is missing");
        if (port is not null && secret is not null) Add(name, address, port.Value, secret, tag);
    }

    private void Add(string? name, string address, int port, string secret, string? tag) => Told.Listeners.Add(new DraftListener
    {
        Name = name,
        Address = address,
        Port = port,
        Secret = secret,
        AdTag = tag,
        Protocols = _protocols,
        Domain = _protocols.Contains("fake-tls") ? _domain ?? LinkDomain : null,
        PublicHost = _externalIp,
        MaxConnections = _maxConnections,
    });

    private void TakeProtocols(ForeignValue value)
    {
        var found = new List<string>();
        foreach (var one in ForeignText.ItemsOf(value))
        {
            var ours = one.Text switch
            {
                "mtp_fake_tls" => "fake-tls",
                "mtp_secure" => "secure",
                "mtp_abridged" or "mtp_intermediate" => "classic",
                _ => null,
            };
            if (ours is null)
                Told.Fail(one.Line, "allowed_protocols", "must name mtp_fake_tls, mtp_secure, mtp_abridged or mtp_intermediate");
            else if (!found.Contains(ours)) found.Add(ours);
        }

        if (found.Count == 0)
            Told.Fail(value.Line, "allowed_protocols", "names no protocol: nobody could connect");
        else _protocols = found;
    }

    private void TakeFronting(ForeignValue value)
    {
        if (value.Kind == ForeignKind.Word)
        {
            if (Word(value, "domain_fronting", "off", "sni") is { } mode)
                Told.Set("cover.mode", mode);
            return;
        }

        if (Told.Text(value, "domain_fronting") is not { } target) return;
        SetCover(target);
        var host = target[..Math.Max(0, target.LastIndexOf(':'))];
        if (DomainName.Problem(host) is null) _domain = host;
    }

    private void TakePolicy(ForeignValue value)
    {
        foreach (var rule in ForeignText.ItemsOf(value))
        {
            switch (rule)
            {
                case { Kind: ForeignKind.Tuple, Items: [{ Text: "max_connections" }, var keys, { Kind: ForeignKind.Number } limit] }:
                    var counted = ForeignText.ItemsOf(keys).Select(key => (JsonNode?)PolicyKeyOf(key)).ToArray();
                    _policy.Add((JsonNode)new JsonObject
                    {
                        ["rule"] = "maxConnections",
                        ["keys"] = new JsonArray(counted),
                        ["limit"] = Clients(limit.Number),
                    });
                    break;
                case
                {
                    Kind: ForeignKind.Tuple, Items: [{ Text: "in_table" or "not_in_table" } kind, var key,
                    { Kind: ForeignKind.Word } table]
                }:
                    AddTableRule(kind.Text == "in_table", key is { Kind: ForeignKind.List, Items: [var only] } ? only : key, table);
                    break;
                default:
                    Told.Fail(rule.Line, "policy", "must hold {in_table, Key, Table}, {not_in_table, Key, Table} or {max_connections, "
                        + "Keys, Limit}");
                    break;
            }
        }
    }

    private void AddTableRule(bool isIn, ForeignValue key, ForeignValue table)
    {
        _policy.Add((JsonNode)new JsonObject
        {
            ["rule"] = isIn ? "inTable" : "notInTable",
            ["key"] = PolicyKeyOf(key),
            ["table"] = table.Text
        });
        if (!_tables.ContainsKey(table.Text)) _tables[table.Text] = new JsonArray();
        Told.Remark(table.Line, $"policy, table {table.Text}",
            "what it holds was in the memory of the Erlang proxy: put it into tables here, or add it "
            + "with POST /api/tables while Portico runs" + (isIn ? "; until then nobody passes this rule" : ""));
    }

    private string PolicyKeyOf(ForeignValue key)
    {
        switch (key)
        {
            case { Kind: ForeignKind.Word, Text: "port_name" or "tls_domain" or "client_ipv4" or "client_ipv6" }:
                return key.Text;
            case
            {
                Kind: ForeignKind.Tuple, Items: [{ Text: "client_ipv4_subnet" or "client_ipv6_subnet" } name,
                { Kind: ForeignKind.Number } bits]
            }:
                return string.Create(CultureInfo.InvariantCulture, $"{name.Text}/{bits.Number}");
            default:
                Told.Fail(key.Line, "policy", "has a key that is none of port_name, tls_domain, client_ipv4, client_ipv6 or a subnet of "
                    + "them");
                return "";
        }
    }

    private void TakePackets(ForeignValue value)
    {
        // It may have a fraction there.
        var text = value.Kind == ForeignKind.Number ? value.Number.ToString(CultureInfo.InvariantCulture) : value.Text;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var packets) && packets is >= 1 and < int.MaxValue)
            Told.Set("backend.middle.backpressure.packetsPerClient", (int)Math.Ceiling(packets));
        else Told.Fail(value.Line, "packets_per_upstream", "must be a number from 1 on");
    }

    private void TakeEach(ForeignValue value, string key, IReadOnlyList<KeyRule> rules)
    {
        if (Properties(value) is { } properties)
            Told.Apply(properties, rules, $"is no key of {key} that is known here");
        else Told.Fail(value.Line, key, "must hold keys and values");
    }

    private string AddressOf(ForeignValue value) =>
        Told.Address(value, "listen_ip") ?? "0.0.0.0";

    private JsonArray Texts(ForeignValue value, string key) =>
        new([.. ForeignText.ItemsOf(value).Select(item => Told.Text(item, key)).OfType<string>().Select(text => (JsonNode)text)]);

    private string? Word(ForeignValue value, string key, params string[] allowed)
    {
        if (value.Kind == ForeignKind.Word && allowed.Contains(value.Text)) return value.Text;
        Told.Fail(value.Line, key, $"must be {string.Join(", ", allowed)}");
        return null;
    }

    // A map, or a list of pairs; null if it is neither.
    private static ForeignValue? Properties(ForeignValue value)
    {
        if (value.Kind == ForeignKind.Map) return value;
        if (value.Kind != ForeignKind.List) return null;
        var (entries, names) = (new List<ForeignEntry>(value.Items.Count), new HashSet<string>(StringComparer.Ordinal));
        foreach (var item in value.Items)
        {
            if (item is not { Kind: ForeignKind.Tuple, Items: [{ Kind: ForeignKind.Word } key, var content] })
                return null;
            // The first one counts there too.
            if (names.Add(key.Text)) entries.Add(new(key.Text, content));
        }

        return new(ForeignKind.Map, value.Line) { Entries = entries };
    }
}
