using System.Globalization;
using Portico.Import.Reading;

namespace Portico.Import.Sources;

/// <summary>Telegram's own MTProxy in C: it has no file, so the command line is read from whatever file starts it.</summary>
internal sealed class MtProxySource : ImportSource
{
    public const string From = "mtproxy";

    private const string Program = "mtproto-proxy";
    private const string Image = "telegrammessenger/proxy"; // takes its settings from the environment
    private const string OneProcess = "one process serves all cores; leave it away";
    private const int ImagePort = 443, MostPorts = 128;

    // Without one of these the program is copied, built or named.
    private static readonly string[] Marks = ["-S", "-H", "--mtproto-secret", "--http-ports"];

    private readonly List<(string Secret, int Line)> _secrets = [];
    private readonly List<string> _domains = [];
    private readonly List<int> _ports = [];
    private string _address = "";
    private bool _hasIPv6, _onlyPadded;
    private string? _tag, _global;
    private long _mostPerWorker, _workers = 1;

    public override string Name => From;

    public override string Title => "Telegram's `MTProxy` (C)";

    public override MigrationWords Words => new(
        "/etc/systemd/system/MTProxy.service", "`systemctl disable --now MTProxy`",
        """
        MTProxy has no configuration file; its command line is read from whatever starts it: a unit of systemd, a script, a
        compose file, or a file that holds nothing else. Variables count where the same file gives them a plain value. Of the
        official image `SECRET`, `TAG` and the published port are read. The cron job that fetched `proxy-secret` and
        `proxy-multi.conf` can go: Portico fetches them by itself and keeps the last good copies.
        """,
        """
        - Everybody through middle proxies: `backend.mode` is `auto`, so clients without an ad tag go straight to a data
          centre. `"mode": "middle"` is the old way.
        - A cover for each of several `-D`: strangers see the first domain's site.
        """);

    public override IReadOnlyList<KeyRule> Rules =>
    [
        Option("-H", "--http-ports", "listeners[].port", "a listener for each port, all with the same users", TakePorts),
        Option("-S", "--mtproto-secret", "listeners[].users[].secret", "one user for each, named `secret-1` and so on; any number", value =>
        {
            if (Told.Secret(value, "-S") is { } secret)
                _secrets.Add((secret, value.Line));
        }),
        Option("-P", "--proxy-tag", "listeners[].adTag", "", value => _tag = Told.AdTag(value, "-P") ?? _tag),
        Option("-D", "--domain", "listeners[].domain, .protocols, cover", "only fake TLS, as there; strangers see the first domain's site",
            TakeDomain),
        Option("-R", "--random-padding-only", "listeners[].protocols", "`secure` alone", _ => _onlyPadded = true, hasValue: false),
        Option("-6", "--ipv6", "listeners[].address", "`::`; without it `0.0.0.0`", _ => _hasIPv6 = true, hasValue: false),
        Option("", "--address", "listeners[].address", "", value => _address = Told.Address(value, "--address") ?? ""),
        Option("", "--nat-info", "backend.middle.externalIp, listeners[].publicHost", "the address behind the colon", TakeNat),
        Option("-C", "--max-special-connections", "listeners[].maxConnections", "of all workers together", value =>
            _mostPerWorker = Whole(value, "-C")),
        Option("-M", "--slaves", "", OneProcess, value =>
        {
            _workers = Math.Clamp(Whole(value, "-M"), 1, 256);
            Told.Left.Add(new(value.Line, "-M", OneProcess));
        }),
        Option("", "--http-stats", "", "`/metrics` of the administration at 127.0.0.1:8444 answers Prometheus", hasValue: false),
        Option("-p", "--port", "", "statistics are at `/metrics` and `portico status`; nothing else needs that port"),
        Option("", "--aes-pwd", "", "Portico gets the secret that it shares with Telegram by itself; no cron job is needed"),
        Option("(file)", "(file)", "", "Portico gets the list of middle proxies by itself every hour; no cron job is needed"),
        Option("-u", "--user", "", "the service manager chooses the user: `User=` in the unit"),
        Option("-c", "--connections", "", "the limit is that of open files: `LimitNOFILE=` in the unit, two for each client"),
        Option("-W", "--window-clamp", "", "the kernel sizes windows; leave it away"),
        Option("-T", "--ping-interval", "", "links to middle proxies are watched anyhow; leave it away"),
        Option("-b", "--backlog", "", "the kernel's net.core.somaxconn counts; leave it away"),
        Option("-l", "--log", "", "logs go to stderr, where the service manager keeps them"),
        Option("-d", "--daemonize", "", "the service manager puts it into the background", hasValue: false),
        Option("-v", "--verbosity", "", "`--log-level debug`", hasValue: false),
        Option("", "--nice", "", "`Nice=` in the unit"),
        Option("", "--msg-buffers-size", "", "memory is governed by the limit of the process; leave it away"),
        Option("", "--disable-tcp", "", "leave it away", hasValue: false),
        Option("", "--crc32c", "", "leave it away", hasValue: false),
        Option("", "--allow-skip-dh", "", "leave it away", hasValue: false),
        Option("", "--force-dh", "", "leave it away", hasValue: false),
        Option("", "--max-accept-rate", "", "`limits` hold floods off by address; a limit of all would lock clients out"),
        Option("", "--max-dh-accept-rate", "", "likewise"),
        Option("", "--cpu-threads", "", "`loops`: one fewer than there are cores; leave it away"),
        Option("", "--io-threads", "", "likewise"),
        Option("", "--multithread", "", "likewise", hasValue: false),
        Option("", "--tcp-cpu-threads", "", "likewise"),
        Option("", "--tcp-iothreads", "", "likewise"),
    ];

    protected override ForeignValue Read(string text)
    {
        var (words, line) = CommandLineReader.Read(text, Program, Marks);
        if (line > 0) return new(ForeignKind.Map, line) { Entries = [.. Options(words, line)] };
        if (text.Contains(Image, StringComparison.Ordinal))
            return new(ForeignKind.Map, 1) { Entries = [.. OfImage(text)] };
        throw new ForeignFormatException(0, $"no line starts {Program} with -H or -S: name the unit, script or compose file that does");
    }

    protected override void Finish()
    {
        if (_ports.Count == 0) Told.Fail(0, "-H", "is missing: there is no port for clients");
        if (_secrets.Count == 0) Told.Fail(0, "-S", "is missing: there is no secret for clients");
        if (_domains.Count > 1)
        {
            Told.Remark(0, "-D", $"strangers see the site of {_domains[0]}, whatever name they ask for; links of the other names work on, "
                + "and `portico link --domain NAME` prints them");
        }

        foreach (var port in _ports)
        {
            var listener = new DraftListener
            {
                Address = _address.Length > 0 ? _address : _hasIPv6 ? "::" : "0.0.0.0",
                Port = port,
                AdTag = _tag,
                Protocols = _domains.Count > 0 ? ["fake-tls"] : _onlyPadded ? ["secure"] : ["secure", "classic"],
                Domain = _domains.FirstOrDefault(),
                PublicHost = _global,
                MaxConnections = _mostPerWorker > 0 ? Clients(_mostPerWorker * _workers) : null,
            };
            if (_secrets is [var only]) listener.Secret = only.Secret;
            else for (var i = 0; i < _secrets.Count; i++)
            {
                listener.Users.Add(
                    string.Create(CultureInfo.InvariantCulture, $"secret-{i + 1}"), _secrets[i].Secret, _secrets[i].Line, "-S", Told);
            }

            Told.Listeners.Add(listener);
        }
    }

    private static KeyRule Option(
        string brief, string name, string becomes, string remark, Action<ForeignValue>? take = null, bool hasValue = true) =>
        new(name, becomes, remark, take) { Aliases = brief.Length > 0 && brief != name ? [brief] : [], HasValue = hasValue };

    private IEnumerable<ForeignEntry> Options(IReadOnlyList<string> words, int line)
    {
        var rules = Rules.SelectMany(rule => rule.Aliases.Append(rule.Key).Select(key => (key, rule))).ToDictionary(pair => pair.key,
            pair => pair.rule);
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (!word.StartsWith('-') || word.Length < 2)
            {
                yield return Entry("(file)", word);
                continue;
            }

            var isLong = word.StartsWith("--", StringComparison.Ordinal);
            var equals = isLong ? word.IndexOf('=', StringComparison.Ordinal) : -1;
            var (key, value) = isLong ? equals < 0 ? (word, "") : (word[..equals], word[(equals + 1)..]) : (word[..2], word[2..]);
            if (rules.GetValueOrDefault(key) is { HasValue: true } && value.Length == 0)
            {
                if (++i < words.Count) value = words[i];
                else throw new ForeignFormatException(line, $"ends behind {key}, which needs a value");
            }

            yield return Entry(key, value);
        }

        ForeignEntry Entry(string key, string value) => new(key, new(ForeignKind.Text, line) { Text = value });
    }

    // The official image: secrets and tag in its environment, the port published by compose.
    private static IEnumerable<ForeignEntry> OfImage(string text)
    {
        var variables = CommandLineReader.Variables(text);
        foreach (var secret in variables.GetValueOrDefault("SECRET", "").Split(',', StringSplitOptions.RemoveEmptyEntries))
            yield return Entry("-S", secret.Trim());
        if (variables.TryGetValue("TAG", out var tag)) yield return Entry("-P", tag);
        var published = text.Split('\n').Select(line => line.Trim(' ', '-', '"', '\'', '\r'))
            .FirstOrDefault(line => line.EndsWith($":{ImagePort}", StringComparison.Ordinal));
        yield return Entry("-H", published is null ? $"{ImagePort}" : published.Split(':')[^2]);

        static ForeignEntry Entry(string key, string value) => new(key, new(ForeignKind.Text, 0) { Text = value });
    }

    private void TakePorts(ForeignValue value)
    {
        foreach (var text in value.Text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
                Told.Fail(value.Line, "-H", "must be ports from 1 to 65535, parted by commas");
            else if (_ports.Count == MostPorts)
                Told.Fail(value.Line, "-H", $"names more than {MostPorts} ports");
            else if (!_ports.Contains(port)) _ports.Add(port);
        }
    }

    private void TakeDomain(ForeignValue value)
    {
        if (Told.Domain(value, "-D") is not { } domain) return;
        if (_domains.Count == 0) SetCover(ForeignText.HostAndPort(domain, 443));
        _domains.Add(domain);
    }

    private void TakeNat(ForeignValue value)
    {
        var global = value.Text[(value.Text.IndexOf(':', StringComparison.Ordinal) + 1)..];
        if (Told.Address(global, value.Line, "--nat-info") is not { } address) return;
        _global = address;
        Told.Set("backend.middle.externalIp", address);
    }

    private long Whole(ForeignValue value, string key)
    {
        if (uint.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number;
        Told.Fail(value.Line, key, "must be a whole number");
        return 0;
    }
}
