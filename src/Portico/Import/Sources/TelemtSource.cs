using System.Text.Json.Nodes;
using Portico.Import.Reading;

namespace Portico.Import.Sources;

/// <summary>telemt: TOML with some three hundred keys, most of which tune its pool of links to middle proxies.</summary>
internal sealed class TelemtSource : ImportSource
{
    public const string From = "telemt";

    private const int DefaultPort = 443;
    private const string DefaultSecret = "00000000000000000000000000000000", DefaultDomain = "petrovich.ru";
    private const string Tuned = "tunes a part that Portico has not, or that needs no tuning; leave it away";

    private readonly HashSet<string> _off = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _tags = new(StringComparer.Ordinal);
    private readonly List<string> _otherDomains = [];
    private ForeignValue? _users, _listeners;
    private int? _port = DefaultPort, _publicPort, _mostConnections;
    private string? _tag, _publicHost, _maskHost, _maskSocket;
    private string _domain = DefaultDomain, _v4 = "0.0.0.0", _v6 = "::";
    private long _maskPort = 443;
    private bool _mask = true, _header, _tls = true, _secure, _classic;
    private List<string> _trusted = [.. Everywhere];

    public override string Name => From;

    public override string Title => "`telemt` (Rust)";

    public override MigrationWords Words => new(
        "/etc/telemt/telemt.toml", "`systemctl disable --now telemt`",
        """
        Of telemt's some three hundred keys most tune its pool of links to middle proxies, which here needs no tuning: they are
        named, and can be forgotten. What people notice is kept: users, links, modes, domains, the site behind, ad tags.
        """,
        """
        - Limits of a user: connections, addresses, rate, quota and a date to come ([keys](#keys)). The links work without them.
        - Upstreams (SOCKS, Shadowsocks), WEB listeners, and a site for each of several names.
        """);

    public override IReadOnlyList<KeyRule> Rules =>
    [
        new("include", "", "is not followed", value => Told.Fail(value.Line, "include",
            "reads another file: put what that says in its place")),
        new("access.users", "listeners[].users", "names of letters, digits, dots, dashes and underscores", value => _users = value),
        new("access.user_enabled", "listeners[].users[].enabled", "", value =>
        {
            foreach (var (name, flag) in value.Entries)
            {
                if (Told.Flag(flag, "access.user_enabled") is false) _off.Add(name);
            }
        }),
        new("access.user_ad_tags", "listeners[].users[].adTag", "", value => TakeTags(value, "access.user_ad_tags", _tags)),
        new("access.user_expirations", "listeners[].users[].enabled", UserLimits.Expiry, TakeExpirations),
        IgnoresTime("access.ignore_time_skew"),
        None("access.replay_check_len", "four million beginnings are remembered, over restarts: replay.maxItems"),
        None("access.replay_window_secs", "they are remembered for 30 days, over restarts: replay.maxAgeDays"),
        None("access.user_source_deny", "block in the system, or with policy and tables"),
        None("access.*", UserLimits.None),
        new("server.port", "listeners[].port", "443 if it is missing", value => _port = Told.Port(value, "server.port")),
        new("server.listeners", "listeners[]", "`::` takes IPv4 as well", value => _listeners = value),
        new("server.listen_addr_ipv4", "listeners[].address", "without `server.listeners`", value =>
            _v4 = AddressOf(value, "server.listen_addr_ipv4")),
        new("server.listen_addr_ipv6", "listeners[].address", "likewise", value => _v6 = AddressOf(value, "server.listen_addr_ipv6")),
        new("server.proxy_protocol", "listeners[].proxyProtocol.trusted", "", value =>
            _header = Told.Flag(value, "server.proxy_protocol") ?? false),
        new("server.proxy_protocol_trusted_cidrs", "listeners[].proxyProtocol.trusted",
            "every network if it is missing, as there: narrow it", value =>
            _trusted = [.. ForeignText.ItemsOf(value).Select(one =>
                Told.Text(one, "server.proxy_protocol_trusted_cidrs")).OfType<string>()]),
        new("server.max_connections", "listeners[].maxConnections", "counts clients that have shown a secret, and nobody else", value =>
            _mostConnections = Told.Number(value, "server.max_connections") is > 0 and var most ? Clients(most) : null),
        None("server.listen_unix_sock", "Portico listens on TCP; let the balancer connect to 127.0.0.1"),
        None("server.listen_unix_sock_perm", "likewise"),
        None("server.listen_tcp", "likewise"),
        None("server.metrics_*", "`/metrics` of the administration answers Prometheus at 127.0.0.1:8444, and elsewhere with admin.token"),
        None("server.api", "the administration is at admin.address, with admin.token; docs/admin.md"),
        None("server.admin_api", "likewise"),
        None("server.client_mss*", "routes can set it: `ip route … advmss`"),
        None("server.*", Tuned),
        new("general.modes.tls", "listeners[].protocols", "`fake-tls`; yes if it is missing", value =>
            _tls = Told.Flag(value, "general.modes.tls") ?? true),
        new("general.modes.secure", "listeners[].protocols", "no if it is missing", value =>
            _secure = Told.Flag(value, "general.modes.secure") ?? false),
        new("general.modes.classic", "listeners[].protocols", "no if it is missing", value =>
            _classic = Told.Flag(value, "general.modes.classic") ?? false),
        new("general.links.public_host", "listeners[].publicHost", "", value =>
            _publicHost = Told.Text(value, "general.links.public_host")),
        new("general.links.public_port", "listeners[].publicPort", "", value =>
            _publicPort = Told.Port(value, "general.links.public_port")),
        None("general.links.show", "`portico link` prints all links, `--user` those of one"),
        None("show_link", "likewise"),
        new("general.use_middle_proxy", "backend.mode", "`direct` if no; else `auto`: middle for who has an ad tag, direct for others",
            value =>
        {
            if (Told.Flag(value, "general.use_middle_proxy") is false)
                Told.Set("backend.mode", "direct");
        }),
        new("general.ad_tag", "listeners[].adTag", "", value =>
            _tag = Told.AdTag(value, "general.ad_tag")),
        Flag("general.fast_mode", "backend.direct.passThrough"),
        Flag("general.prefer_ipv6", "backend.preferIPv6", "the other family is tried next"),
        Text("general.middle_proxy_nat_ip", "backend.middle.externalIp"),
        Text("general.proxy_secret_url", "backend.middle.secretUrl"),
        Text("general.proxy_config_v4_url", "backend.middle.configUrl"),
        Text("general.proxy_config_v6_url", "backend.middle.configV6Url"),
        Number("general.update_every", "backend.middle.refreshSeconds"),
        new("general.rst_on_close", "resetOnClose", "`errors` is `handshake-error`", value =>
        {
            var ours = Told.Text(value, "general.rst_on_close") switch
            {
                "off" => "off",
                "errors" => "handshake-error",
                "always" => "always",
                _ => null,
            };
            if (ours is null)
                Told.Fail(value.Line, "general.rst_on_close", "must be off, errors or always");
            else Told.Set("resetOnClose", ours);
        }),
        None("general.log_level", "`--log-level`, and PUT /api/log-level while it runs"),
        None("general.data_path", "dataDirectory"),
        None("general.*", Tuned),
        new("network.prefer", "backend.preferIPv6", "the other family is tried next", value =>
        {
            if (Told.Number(value, "network.prefer") is { } family)
                Told.Set("backend.preferIPv6", family == 6);
        }),
        None("network.http_ip_detect_urls", "backend.middle.ipLookupServices has services of its own"),
        None("network.dns_overrides", "names are asked of the system's resolver: /etc/hosts"),
        None("network.*", Tuned),
        new("censorship.tls_domain", "listeners[].domain, cover.target", "petrovich.ru if it is missing, as there", value =>
            _domain = Told.Domain(value, "censorship.tls_domain") ?? ""),
        new("censorship.tls_domains", "", "links of these names work too, since any name may be named; `portico link --domain NAME` "
            + "prints them", value =>
        {
            _otherDomains.AddRange(ForeignText.ItemsOf(value).Select(one => Told.Text(one, "censorship.tls_domains")).OfType<string>());
            Told.Remark(value.Line, "censorship.tls_domains",
                "links of these names work on: any name may be named; `portico link --domain NAME` prints them");
        }),
        new("censorship.mask", "cover.mode", "", value => _mask = Told.Flag(value, "censorship.mask") ?? true),
        new("censorship.mask_host", "cover.target", "the domain if it is missing", value =>
            _maskHost = Told.Text(value, "censorship.mask_host")),
        new("censorship.mask_port", "cover.target", "443 if it is missing", value =>
            _maskPort = Told.Port(value, "censorship.mask_port") ?? 443),
        new("censorship.mask_unix_sock", "cover.target", "`unix:` in front", value =>
            _maskSocket = Told.Text(value, "censorship.mask_unix_sock")),
        Number("censorship.mask_proxy_protocol", "cover.proxyProtocol"),
        None("censorship.unknown_sni_action", "any name is taken; a rule inTable on tls_domain in policy allows only some"),
        None("censorship.exclusive_mask", "one cover for all names; cover.mode sni goes by the name"),
        None("censorship.mask_dynamic", "likewise"),
        None("censorship.*", "the cover's own answer is learnt by itself: cover.learnSeconds; strangers are passed on as they come"),
        Number("timeouts.client_handshake", "timeouts.handshakeSeconds"),
        Number("timeouts.client_ack", "timeouts.clientWriteSeconds", "seconds without a byte taken"),
        None("timeouts.*", "timeouts has what there is; leave it away"),
        new("dc_overrides", "backend.direct.endpoints", "", TakeOverrides),
        Number("default_dc", "backend.direct.defaultDc"),
        None("upstreams", "Portico connects to Telegram itself: `bind_addresses` are localAddresses, anything else is routed in the "
            + "system"),
        None("web", "write listeners[].web by hand: docs/web-proxy.md"),
        None("logging", "logs go to stderr, where the service manager keeps them"),
        None("beobachten*", "`portico_cover_total` counts strangers by what became of them"),
    ];

    protected override ForeignValue Read(string text) => TomlReader.Read(text);

    protected override void Finish()
    {
        if (_mask)
            SetCover(_maskSocket is { Length: > 0 } ? $"unix:{_maskSocket}" : ForeignText.HostAndPort(_maskHost ?? _domain, _maskPort));
        if (_otherDomains.Count > 0 && _mask)
            Told.Remark(0, "censorship.tls_domains", "strangers see one site, whatever name they ask for");
        if (!_tls && !_secure && !_classic)
            Told.Fail(0, "general.modes", "are all off: nobody could connect");
        var protocols = Protocols(_tls, _secure, _classic);
        var places = Places();
        if (places.Count == 0 && Told.Errors.Count == 0)
            Told.Fail(0, "server.listeners", "names no address: nobody could connect");
        var merged = ListeningPlaces.Merge(
            [.. places.Select(place => (place.Address, place.Port))],
            one => Told.Remark(0, "server.listeners", $"Portico listens on every address, {one} among them, as another one is ::"));
        foreach (var (address, port) in merged.ToArray())
        {
            var place = places.Find(place => place.Port == port && (place.Address == address || place.Announce is not null));
            var listener = new DraftListener
            {
                Address = address,
                Port = port,
                AdTag = _tag,
                Protocols = protocols,
                Domain = _tls ? _domain : null,
                PublicHost = _publicHost ?? place.Announce,
                PublicPort = _publicPort,
                MaxConnections = _mostConnections,
                Trusted = places.Exists(one => one.Port == port && one.Header) ? _trusted : [],
            };
            AddUsers(listener);
            Told.Listeners.Add(listener);
        }

        if (Told.Listeners.Exists(listener => listener.Trusted.Contains(Everywhere[0])))
            RemarkEverywhere(0, "server.proxy_protocol");
    }

    private List<(string Address, int Port, string? Announce, bool Header)> Places()
    {
        if (_listeners is null or { Items.Count: 0 })
            return [.. new[] { _v4, _v6 }.Where(one => one.Length > 0).Select(one => (one, _port ?? DefaultPort, (string?)null, _header))];
        var places = new List<(string, int, string?, bool)>();
        foreach (var written in _listeners.Items)
        {
            var (address, port, announce, header, isWeb) = ("", _port ?? DefaultPort, (string?)null, _header, false);
            foreach (var (key, value) in written.Entries)
            {
                var path = $"server.listeners.{key}";
                if (key == "ip") address = AddressOf(value, path);
                else if (key == "port") port = Told.Port(value, path) ?? port;
                else if (key is "announce" or "announce_ip")
                    announce = Told.Text(value, path) ?? announce;
                else if (key == "proxy_protocol") header = Told.Flag(value, path) ?? header;
                else if (key == "transport" && value.Text == "web") isWeb = true;
                else if (key != "transport") Told.Left.Add(new(value.Line, path, Tuned));
            }

            if (isWeb)
                Told.Left.Add(new(written.Line, "server.listeners.transport",
                    "a WEB proxy is to be written by hand (listeners[].web, docs/web-proxy.md); this listener is left out"));
            else if (address.Length == 0)
                Told.Fail(written.Line, "server.listeners.ip", "is missing");
            else places.Add((address, port, announce, header));
        }

        return places;
    }

    private void AddUsers(DraftListener listener)
    {
        if (_users is null)
        {
            Told.Remark(0, "access.users", "is missing, so the secret is the one that telemt brings, 32 zeros, which everybody knows");
            listener.Users.Add("default", DefaultSecret, 0, "access.users", Told);
            return;
        }

        if (_users.Entries.Count == 0) Told.Fail(_users.Line, "access.users", "names nobody");
        foreach (var (name, value) in _users.Entries)
        {
            if (Told.Secret(value, "access.users") is not { } secret)
                continue;
            var user = listener.Users.Add(name, secret, value.Line, "access.users", Told);
            user.AdTag = _tags.GetValueOrDefault(name);
            user.Enabled &= !_off.Contains(name);
        }

        if (listener.Users.Count > 0 && listener.Users.All.All(user => !user.Enabled))
            Told.Fail(_users.Line, "access.users", "has nobody who is enabled");
    }

    private void TakeExpirations(ForeignValue value)
    {
        foreach (var (name, date) in value.Entries)
        {
            if (UserLimits.IsOver(date.Text, format: null) is { } isOver)
                TakeEnd(name, isOver, date.Line, "access.user_expirations", _off);
            else Told.Fail(date.Line, "access.user_expirations", "must be dates with time and zone");
        }
    }

    private void TakeOverrides(ForeignValue value)
    {
        foreach (var (dc, addresses) in value.Entries)
        {
            var texts = ForeignText.ItemsOf(addresses).Select(one => Told.Text(one, "dc_overrides")).Where(text => text is { Length: > 0 });
            Told.Set($"backend.direct.endpoints.{dc}", new JsonArray([.. texts.Select(text => (JsonNode?)text)]));
        }
    }

    private string AddressOf(ForeignValue value, string key) =>
        value is { Kind: ForeignKind.Text, Text.Length: 0 } ? "" : Told.Address(value, key) ?? "";
}
