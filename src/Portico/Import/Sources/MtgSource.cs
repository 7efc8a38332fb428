using System.Globalization;
using System.Text.RegularExpressions;
using Portico.Import.Reading;
using Portico.Protocol.Secrets;

namespace Portico.Import.Sources;

/// <summary>mtg of 9seconds, version 2: TOML. The keys of its fork for several secrets are known too.</summary>
internal sealed partial class MtgSource : ImportSource
{
    public const string From = "mtg";

    private const int DefaultFrontPort = 443, LeastPast = 600, LeastFuture = 120;

    private readonly List<(string Name, ParsedSecret Secret, int Line)> _users = [];
    private readonly Dictionary<string, string> _tags = new(StringComparer.Ordinal);
    private (string Address, int Port)? _place;
    private string? _frontHost, _tag, _v4, _v6;
    private long _frontPort = DefaultFrontPort;
    private int? _concurrency;
    private bool _header;

    public override string Name => From;

    public override string Title => "`mtg` 2 (Go)";

    public override MigrationWords Words => new(
        "/etc/mtg.toml", "`systemctl disable --now mtg`",
        """
        mtg is fake TLS for one secret, straight to the data centres, with the secret's own domain behind it: so is what is
        written. Users with secrets of their own can be added beside it (`listeners[].users`), and an ad tag.
        """,
        """
        - Lists of addresses that are downloaded, SOCKS5 proxies, and a resolver of its own.
        - `only-ipv4` and `only-ipv6`: the other family is tried where the preferred one fails.
        """);

    public override IReadOnlyList<KeyRule> Rules =>
    [
        new("secret", "listeners[]: secret, domain", "only fake TLS, as there", value =>
        {
            if (SecretOf(value, "secret") is { } secret)
                _users.Add(("default", secret, value.Line));
        }),
        new("secrets", "listeners[].users", "of the fork with several secrets", TakeSecrets),
        new("secret-ad-tags", "listeners[].users[].adTag", "likewise", value => TakeTags(value, "secret-ad-tags", _tags)),
        new("ad-tag", "listeners[].adTag", "likewise", value =>
            _tag = Told.AdTag(value, "ad-tag")),
        new("bind-to", "listeners[]: address, port", "", value =>
        {
            if (Told.Text(value, "bind-to") is not { } text) return;
            _place = ForeignText.Endpoint(text);
            if (_place is null)
                Told.Fail(value.Line, "bind-to", "must be an address and a port, as in \"0.0.0.0:3128\"");
        }),
        new("concurrency", "listeners[].maxConnections", "counts clients that have shown a secret, and nobody else", value =>
            _concurrency = Told.Number(value, "concurrency") is { } most ? Clients(most) : null),
        new("prefer-ip", "backend.preferIPv6", "the other family is always tried next", value =>
        {
            if (Told.Text(value, "prefer-ip") is not { } prefer) return;
            Told.Set("backend.preferIPv6", prefer.EndsWith("ipv6", StringComparison.Ordinal));
            if (prefer.StartsWith("only-", StringComparison.Ordinal))
                Told.Remark(value.Line, "prefer-ip", "the other family is tried where this one fails");
        }),
        new("domain-fronting-port", "cover.target", "443 if it is missing", value =>
            _frontPort = Told.Port(value, "domain-fronting-port") ?? _frontPort)
        {
            Aliases = ["cloak-port", "domain-fronting.port"],
        },
        new("domain-fronting.host", "cover.target", "the domain of the secret if it is missing", value =>
            _frontHost = Told.Text(value, "domain-fronting.host") is { Length: > 0 } host ? host : null)
        {
            Aliases = ["domain-fronting.ip", "domain-fronting-ip"],
        },
        new("domain-fronting.proxy-protocol", "cover.proxyProtocol", "version 2", value =>
        {
            if (Told.Flag(value, "domain-fronting.proxy-protocol") is true)
                Told.Set("cover.proxyProtocol", 2);
        }),
        new("proxy-protocol-listener", "listeners[].proxyProtocol.trusted", "every network, as there: narrow it to that of the balancer",
            value =>
        {
            _header = Told.Flag(value, "proxy-protocol-listener") ?? false;
            if (_header) RemarkEverywhere(value.Line, "proxy-protocol-listener");
        }),
        new("public-ipv4", "listeners[].publicHost", "", value =>
            _v4 = Told.Text(value, "public-ipv4")) { Aliases = ["network.public-ip.ipv4"] },
        new("public-ipv6", "listeners[].publicHost", "if there is no IPv4", value => _v6 = Told.Text(value, "public-ipv6"))
        {
            Aliases = ["network.public-ip.ipv6"],
        },
        new("tolerate-time-skewness", "fakeTls.timeWindow", "600 s behind and 120 s ahead at least: what was seen is remembered far longer",
            value =>
        {
            if (SecondsOf(value, "tolerate-time-skewness") is not { } seconds) return;
            if (seconds > LeastPast)
                Told.SetNumber("fakeTls.timeWindow.pastSeconds", seconds, value.Line, "tolerate-time-skewness");
            if (seconds > LeastFuture)
                Told.SetNumber("fakeTls.timeWindow.futureSeconds", seconds, value.Line, "tolerate-time-skewness");
        })
        {
            Aliases = ["defense.time.allow-skewness"],
        },
        Flag("defense.time.enabled", "fakeTls.timeWindow.enabled"),
        Seconds("network.timeout.idle", "timeouts.idleSeconds"),
        Seconds("network.timeout.handshake", "timeouts.handshakeSeconds"),
        Flag("defense.anti-replay.enabled", "replay.enabled"),
        None("defense.anti-replay.max-size", "four million beginnings are remembered, over restarts: replay.maxItems"),
        None("defense.anti-replay.error-rate", "a hello is never taken for another one; leave it away"),
        None("defense.blocklist.*", "lists are not downloaded: block in the system, or with policy and tables"),
        None("defense.allowlist.*", "likewise"),
        None("defense.doppelganger.*", "the cover's own answer is learnt by itself: cover.learnSeconds; fakeTls.recordSizes for lengths "
            + "of records"),
        None("debug", "`--log-level debug`"),
        None("tcp-buffer", "each loop has one area for all its clients; leave it away"),
        None("allow-fallback-on-unknown-dc", "clients that name no known data centre get backend.direct.defaultDc; leave it away"),
        None("auto-update", "in middle mode lists are refreshed every hour; leave it away"),
        None("network.dns", "names are asked of the system's resolver"),
        None("network.doh-ip", "likewise"),
        None("network.proxies", "Portico connects to Telegram itself; leave it away, or route its traffic in the system"),
        None("network.timeout.tcp", "10 s over all addresses of a data centre; leave it away"),
        None("network.timeout.http", "backend.middle.httpTimeoutMs"),
        None("network.keep-alive.*", "who is gone is noticed by what it does not take; leave it away"),
        None("stats.prometheus.*", "`/metrics` of the administration answers Prometheus at 127.0.0.1:8444, and elsewhere with admin.token"),
        None("stats.statsd.*", "telemetry.otlp sends to a collector, which can pass on to statsd"),
        None("api-bind-to", "the administration is at admin.address, and `portico users` asks it"),
        None("api-token", "admin.token, a new one"),
        None("throttle.*", UserLimits.None),
        None("dc-pool.*", "a connection to a data centre is made for each client; leave it away"),
    ];

    protected override ForeignValue Read(string text) => TomlReader.Read(text);

    protected override void Finish()
    {
        if (_place is null) Told.Fail(0, "bind-to", "is missing");
        if (_users.Count == 0) Told.Fail(0, "secret", "is missing");
        if (_place is not var (address, port) || _users.Count == 0) return;
        var domain = _users[0].Secret.Domain!;
        SetCover(ForeignText.HostAndPort(_frontHost ?? domain, _frontPort));
        var listener = new DraftListener
        {
            Address = address,
            Port = port,
            AdTag = _tag,
            Domain = domain,
            PublicHost = _v4 is { Length: > 0 } ? _v4 : _v6 is { Length: > 0 } ? _v6 : null,
            MaxConnections = _concurrency,
            Trusted = _header ? Everywhere : [],
        };
        if (_users is [{ Name: "default", Secret: var only }])
            listener.Secret = SecretText.FormatSimple(only.Secret);
        else
        {
            foreach (var (name, secret, line) in _users)
            {
                var user = listener.Users.Add(name, SecretText.FormatSimple(secret.Secret), line, "secrets", Told);
                user.AdTag = _tags.GetValueOrDefault(name);
                if (secret.Domain != domain) user.Domain = secret.Domain;
            }
        }

        Told.Listeners.Add(listener);
    }

    private KeyRule Seconds(string key, string path) => new(key, path, "", value =>
    {
        if (SecondsOf(value, key) is { } seconds) Told.SetNumber(path, seconds, value.Line, key);
    });

    private void TakeSecrets(ForeignValue value)
    {
        if (value.Kind != ForeignKind.Map)
            Told.Fail(value.Line, "secrets", "must be a section of names and secrets");
        foreach (var (name, secret) in value.Entries)
        {
            if (SecretOf(secret, "secrets") is { } parsed) _users.Add((name, parsed, secret.Line));
        }
    }

    private ParsedSecret? SecretOf(ForeignValue value, string key)
    {
        if (Told.Text(value, key) is not { } text) return null;
        if (!SecretText.TryParse(text, out var secret, out var problem))
            Told.Fail(value.Line, key, problem);
        else if (secret.Domain is null)
            Told.Fail(value.Line, key, "must be one for fake TLS, with a domain: mtg knows no other");
        else if (Told.Domain(secret.Domain, value.Line, key) is not null) return secret;
        return null;
    }

    // As Go writes durations: 5s, 1m30s.
    private long? SecondsOf(ForeignValue value, string key)
    {
        if (Told.Text(value, key) is not { } text) return null;
        var match = Duration().Match(text);
        if (text.Length > 0 && match.Success)
        {
            var seconds = Part("h", 3600) + Part("m", 60) + Part("s", 1) + Part("ms", 0.001);
            if (seconds < int.MaxValue) return (long)Math.Ceiling(seconds);
        }

        Told.Fail(value.Line, key, "must be a duration, as in \"30s\"");
        return null;

        double Part(string unit, double each) => match.Groups[unit] is { Success: true, Value: var digits }
            ? each * double.Parse(digits, CultureInfo.InvariantCulture)
            : 0;
    }

    [GeneratedRegex(@"\A((?<h>[0-9]{1,6})h)?((?<m>[0-9]{1,6})m)?((?<s>[0-9]{1,9}(\.[0-9]{1,9})?)s)?((?<ms>[0-9]{1,9})ms)?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Duration();
}
