using Portico.Core.Options;
using Portico.Import.Reading;

namespace Portico.Import.Sources;

/// <summary>mtprotoproxy of alexbers: a config.py.</summary>
internal sealed class MtProtoProxySource : ImportSource
{
    public const string From = "mtprotoproxy";

    private const int DefaultPort = 3256, SecretDigits = 32;
    private const string DefaultSecret = "00000000000000000000000000000000", DefaultDomain = "www.google.com";
    private const string Day = "d/M/yyyy";

    private readonly HashSet<string> _over = new(StringComparer.Ordinal);
    private ForeignValue? _users;
    private int? _port = DefaultPort;
    private string? _tag, _domain, _maskHost, _publicHost;
    private string _v4 = "0.0.0.0", _v6 = "::";
    private long _maskPort = 443;
    private bool _mask = true, _header;
    private bool? _middle;
    private bool _classic = true, _secure = true, _tls = true;

    public override string Name => From;

    public override string Title => "`mtprotoproxy` (Python)";

    public override MigrationWords Words => new(
        "config.py", "`systemctl disable --now mtprotoproxy`, or `docker compose down`",
        """
        config.py is a program, and is not run here: names with plain values are read, and everything that would have to be
        worked out is named with its line. The proxy was a single thread; Portico uses all cores but one.
        """,
        """
        - Limits of a user: connections, quota and a date to come ([keys](#keys)). The links work without them.
        - A SOCKS5 proxy towards Telegram.
        """);

    public override IReadOnlyList<KeyRule> Rules =>
    [
        new("PORT", "listeners[].port", "3256 if it is missing", value => _port = Told.Port(value, "PORT")),
        new("USERS", "listeners[].users", "names of letters, digits, dots, dashes and underscores", value => _users = value),
        new("AD_TAG", "listeners[].adTag", "users may have one of their own", value =>
            _tag = Told.AdTag(value, "AD_TAG")),
        new("USE_MIDDLE_PROXY", "backend.mode", "`auto` by itself: middle for who has an ad tag, direct for others", value =>
            _middle = Told.Flag(value, "USE_MIDDLE_PROXY")),
        new("MODES", "listeners[].protocols", "`tls` is `fake-tls`; all three if it is missing", TakeModes),
        new("SECURE_ONLY", "listeners[].protocols", "", value => _classic &= Told.Flag(value, "SECURE_ONLY") is not true),
        new("TLS_ONLY", "listeners[].protocols", "", value =>
        {
            if (Told.Flag(value, "TLS_ONLY") is true) _classic = _secure = false;
        }),
        new("TLS_DOMAIN", "listeners[].domain", "www.google.com if it is missing", value =>
            _domain = Told.Domain(value, "TLS_DOMAIN")),
        new("MASK", "cover.mode", "", value => _mask = Told.Flag(value, "MASK") ?? true),
        new("MASK_HOST", "cover.target", "TLS_DOMAIN if it is missing", value => _maskHost = Told.Text(value, "MASK_HOST")),
        new("MASK_PORT", "cover.target", "443 if it is missing", value => _maskPort = Told.Port(value, "MASK_PORT") ?? 443),
        new("MY_DOMAIN", "listeners[].publicHost", "", value =>
        {
            if (value.Kind == ForeignKind.Text && value.Text.Length > 0) _publicHost = value.Text;
        }),
        new("PROXY_PROTOCOL", "listeners[].proxyProtocol.trusted", "every network, as there: narrow it to that of the balancer", value =>
        {
            _header = Told.Flag(value, "PROXY_PROTOCOL") ?? false;
            if (_header) RemarkEverywhere(value.Line, "PROXY_PROTOCOL");
        }),
        Flag("PREFER_IPV6", "backend.preferIPv6", "no if it is missing; the other family is tried next"),
        Flag("FAST_MODE", "backend.direct.passThrough"),
        new("LISTEN_ADDR_IPV4", "listeners[].address", "", value => _v4 = AddressOf(value, "LISTEN_ADDR_IPV4")),
        new("LISTEN_ADDR_IPV6", "listeners[].address", "`::` takes IPv4 as well", value => _v6 = AddressOf(value, "LISTEN_ADDR_IPV6")),
        None("LISTEN_UNIX_SOCK", "Portico listens on TCP; let the balancer connect to 127.0.0.1"),
        IgnoresTime("IGNORE_TIME_SKEW"),
        new("USER_EXPIRATIONS", "listeners[].users[].enabled", UserLimits.Expiry, TakeExpirations),
        None("USER_MAX_TCP_CONNS", UserLimits.None),
        None("USER_DATA_QUOTA", UserLimits.None),
        None("SOCKS5_*", "Portico connects to Telegram itself; leave it away, or route its traffic in the system"),
        None("REPLAY_CHECK_LEN", "four million beginnings are remembered, over restarts: replay.maxItems"),
        None("CLIENT_IPS_LEN", "`portico users` tells who came from how many networks"),
        None("STATS_PRINT_PERIOD", "a line with the traffic is logged by itself; `portico status` tells it at any time"),
        None("PROXY_INFO_UPDATE_PERIOD", "backend.middle.refreshSeconds: an hour"),
        None("GET_TIME_PERIOD", "`portico doctor` looks at the clock"),
        None("GET_CERT_LEN_PERIOD", "cover.learnSeconds: six hours, and more than the length is learnt"),
        None("TO_CLT_BUFSIZE", "each loop has one area for all its clients; leave it away"),
        None("TO_TG_BUFSIZE", "likewise"),
        None("CLIENT_KEEPALIVE", "who is gone is noticed by what it does not take; leave it away"),
        Number("CLIENT_HANDSHAKE_TIMEOUT", "timeouts.handshakeSeconds"),
        Number("CLIENT_ACK_TIMEOUT", "timeouts.clientWriteSeconds", "seconds without a byte taken"),
        None("TG_CONNECT_TIMEOUT", "10 s over all addresses of a data centre; leave it away"),
        None("TG_READ_TIMEOUT", "a session without traffic ends after timeouts.idleSeconds"),
        None("METRICS_*", "`/metrics` of the administration answers Prometheus at 127.0.0.1:8444, and elsewhere with admin.token"),
        None(PythonReader.Statement, "is no assignment of a plain value, and nothing is run here: if it changes a setting, change ours"),
    ];

    protected override ForeignValue Read(string text)
    {
        // Only names in capitals are settings, there as here; the others are the file's own.
        var file = PythonReader.Read(text);
        return new(ForeignKind.Map, 1)
        {
            Entries = [.. file.Entries.Where(entry => entry.Key == PythonReader.Statement || !entry.Key.Any(char.IsAsciiLetterLower))],
        };
    }

    protected override void Finish()
    {
        if (_middle == true && _tag is null) Told.Set("backend.mode", "middle");
        if (_middle == false && _tag is not null) Told.Set("backend.mode", "direct");
        if (!_classic && !_secure && !_tls) _tls = true; // as there
        var domain = _domain ?? DefaultDomain;
        if (_mask) SetCover(ForeignText.HostAndPort(_maskHost ?? domain, _maskPort));
        var protocols = Protocols(_tls, _secure, _classic);
        if (_v4.Length + _v6.Length == 0)
            Told.Fail(0, "LISTEN_ADDR_IPV4", "is empty, and so is LISTEN_ADDR_IPV6: nobody could connect");
        (string, int)[] places = [.. new[] { _v4, _v6 }.Where(one => one.Length > 0).Select(one => (one, _port ?? DefaultPort))];
        foreach (var (address, port) in ListeningPlaces.Merge(
            places, one => Told.Remark(0, "LISTEN_ADDR_IPV4",
                $"Portico listens on every address, {one} among them, as LISTEN_ADDR_IPV6 is ::")))
        {
            var listener = new DraftListener
            {
                Address = address,
                Port = port,
                AdTag = _tag,
                Protocols = protocols,
                Domain = _tls ? domain : null,
                PublicHost = _publicHost,
                Trusted = _header ? Everywhere : [],
            };
            AddUsers(listener);
            Told.Listeners.Add(listener);
        }
    }

    private void AddUsers(DraftListener listener)
    {
        if (_users is null)
        {
            Told.Remark(0, "USERS", "is missing, so the secret is the one that mtprotoproxy brings, 32 zeros, which everybody knows");
            listener.Users.Add("tg", DefaultSecret, 0, "USERS", Told);
            return;
        }

        if (_users.Kind != ForeignKind.Map)
        {
            Told.Fail(_users.Line, "USERS", "must be a dictionary of names and secrets, written out: nothing is run here");
            return;
        }

        if (_users.Entries.Count == 0)
            Told.Fail(_users.Line, "USERS", "is empty: nobody could connect");
        foreach (var (name, value) in _users.Entries)
        {
            if (Told.Text(value, "USERS") is not { } secret) continue;
            var digits = Repaired(secret);
            if (!string.Equals(digits, secret, StringComparison.OrdinalIgnoreCase))
            {
                Told.Remark(
                    value.Line, "USERS", $"the secret of {ShownText.Quote(name)} is no 32 digits, and is made so as mtprotoproxy does");
            }

            listener.Users.Add(name, digits, value.Line, "USERS", Told).Enabled &= !_over.Contains(name);
        }

        if (listener.Users.Count > 0 && listener.Users.All.All(user => !user.Enabled))
            Told.Fail(_users.Line, "USERS", "has nobody whose date is not over");
    }

    private void TakeModes(ForeignValue value)
    {
        if (value.Kind != ForeignKind.Map)
        {
            Told.Fail(value.Line, "MODES", "must be a dictionary, written out: nothing is run here");
            return;
        }

        _classic = _secure = _tls = false;
        foreach (var (name, flag) in value.Entries)
        {
            var isOn = Told.Flag(flag, "MODES") is true;
            if (name == "classic") _classic = isOn;
            else if (name == "secure") _secure = isOn;
            else if (name == "tls") _tls = isOn;
            else Told.Left.Add(new(flag.Line, $"MODES.{name}", "is no mode that is known here"));
        }
    }

    private void TakeExpirations(ForeignValue value)
    {
        foreach (var (name, date) in value.Entries)
        {
            if (Told.Text(date, "USER_EXPIRATIONS") is not { } text) continue;
            if (UserLimits.IsOver(text, Day) is { } isOver)
                TakeEnd(name, isOver, date.Line, "USER_EXPIRATIONS", _over);
            else Told.Fail(date.Line, "USER_EXPIRATIONS", "must be dates as day/month/year");
        }

        if (value.Kind != ForeignKind.Map)
            Told.Fail(value.Line, "USER_EXPIRATIONS", "must be a dictionary, written out: nothing is run here");
    }

    private string AddressOf(ForeignValue value, string key) =>
        value.Kind == ForeignKind.Word || value is { Kind: ForeignKind.Text, Text.Length: 0 } ? "" : Told.Address(value, key) ?? "";

    private static string Repaired(string secret)
    {
        if (ForeignText.IsKey(secret)) return secret.ToLowerInvariant();
        var digits = string.Concat(secret.Where(char.IsAsciiHexDigit)).PadLeft(SecretDigits, '0');
        return digits[..SecretDigits].ToLowerInvariant();
    }
}
