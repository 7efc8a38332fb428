using System.CommandLine;
using System.Globalization;
using Portico.Configuration;

namespace Portico.Commands;

/// <summary>Flags of <c>run</c> that replace what the file says. They speak of the first listener.</summary>
internal sealed class QuickFlags
{
    private static readonly string[] SecretKey = ["listeners", "0", "secret"];

    private readonly Option<int?> _port =
        new("--port", "-p") { Description = "Port of the first listener; 0 = the system chooses.", HelpName = "N" };
    private readonly Option<string?> _publicHost = new("--public-host")
    {
        Description = "Host name or address that the links of the first listener show; behind NAT, the outer one.",
        HelpName = "HOST",
    };

    private readonly Option<bool> _init =
        new("--init") { Description = "Write a new configuration where --config or PORTICO_CONFIG says, if there is none." };
    private readonly Option<string?> _secret = new("--secret")
    {
        Description = "Secret of the first listener. Other users of this machine can see it: prefer --secret-file.",
        HelpName = "HEX",
    };
    private readonly Option<string?> _secretFile =
        new("--secret-file") { Description = "A file that holds the secret of the first listener.", HelpName = "FILE" };
    private readonly Option<string?> _adTag =
        new("--ad-tag") { Description = "Ad tag of the first listener, from the bot @MTProxybot.", HelpName = "HEX" };
    private readonly Option<string?> _domain = new("--domain")
    {
        Description = "Host name for the fake-TLS links of the first listener. "
            + "A first start also makes it the site that strangers see (cover).",
        HelpName = "NAME",
    };
    private readonly Option<string[]> _protocols = new("--protocol")
    {
        Description = "fake-tls, secure or classic; repeat it for more than one.",
        HelpName = "NAME",
        Arity = ArgumentArity.OneOrMore,
        CompletionSources = { "fake-tls", "secure", "classic" },
    };
    private readonly Option<string?> _mode = new("--mode")
    {
        Description = "auto, direct or middle: the way to Telegram.",
        HelpName = "MODE",
        CompletionSources = { "auto", "direct", "middle" },
    };

    /// <summary>When QR codes are drawn.</summary>
    public Option<string> Qr { get; } = CommonOptions.Qr("auto");

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _port, _publicHost, _secret, _secretFile, _adTag, _domain, _protocols, _mode, _init, Qr })
            command.Add(option);
        command.Validators.Add(result =>
        {
            if (result.GetResult(_secret) is not null && result.GetResult(_secretFile) is not null)
                result.AddError("--secret and --secret-file exclude each other");
        });
    }

    /// <summary>Whether a secret stands on the command line, where `ps` shows it to everybody.</summary>
    public bool ShowsSecret(ParseResult parsed) => parsed.GetValue(_secret) is not null;

    /// <summary>Whether a configuration may be written to a place that the operator named.</summary>
    public bool MayInitialise(ParseResult parsed) => parsed.GetValue(_init);

    /// <summary>Those of the flags that were given and change something, by name.</summary>
    public IReadOnlyList<string> Given(ParseResult parsed) =>
        [.. new Option[] { _port, _publicHost, _secret, _secretFile, _adTag, _domain, _protocols, _mode }
            .Where(option => parsed.GetResult(option) is not null)
            .Select(option => option.Name)];

    /// <summary>Whether a domain was given.</summary>
    public bool NamesDomain(ParseResult parsed) => parsed.GetResult(_domain) is not null;

    /// <summary>The flags as overrides.</summary>
    /// <exception cref="CommandFailure">The secret file cannot be read.</exception>
    public IEnumerable<Override> Overrides(ParseResult parsed)
    {
        if (parsed.GetValue(_port) is { } port)
            yield return new(["listeners", "0", "port"], port.ToString(CultureInfo.InvariantCulture), "--port");
        if (parsed.GetValue(_publicHost) is { } host)
            yield return new(["listeners", "0", "publicHost"], host, "--public-host");
        if (parsed.GetValue(_secret) is { } secret) yield return new(SecretKey, secret, "--secret");
        if (parsed.GetValue(_secretFile) is { } file)
            yield return new(SecretKey, NamedFile.Read(file, NamedFile.HoldsSecret), "--secret-file");

        if (parsed.GetValue(_adTag) is { } adTag)
            yield return new(["listeners", "0", "adTag"], adTag, "--ad-tag");
        if (parsed.GetValue(_domain) is { } domain)
            yield return new(["listeners", "0", "domain"], domain, "--domain");
        if (parsed.GetValue(_protocols) is { Length: > 0 } protocols)
            yield return new(["listeners", "0", "protocols"], string.Join(',', protocols), "--protocol");
        if (parsed.GetValue(_mode) is { } mode)
            yield return new(["backend", "mode"], mode, "--mode");
    }

    /// <summary>What a first start writes when these flags are given.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="withSecret">False if the secret comes from elsewhere.</param>
    public NewConfiguration NewConfiguration(ParseResult parsed, bool withSecret)
    {
        var fresh = new NewConfiguration { Domain = parsed.GetValue(_domain), PublicHost = parsed.GetValue(_publicHost) };
        return fresh with
        {
            // a port that changes with every start is not worth keeping
            Port = parsed.GetValue(_port) is { } port and not 0 ? port : fresh.Port,
            Secret = withSecret ? fresh.Secret : null,
            AdminToken = withSecret ? fresh.AdminToken : null, // what is not written down nobody could know
            Protocols = parsed.GetValue(_protocols) is { Length: > 0 } protocols ? protocols : fresh.Protocols,
            AdTag = parsed.GetValue(_adTag),
            Mode = parsed.GetValue(_mode) ?? (parsed.GetValue(_adTag) is null ? fresh.Mode : "auto"), // direct mode would not carry the tag
        };
    }

    /// <summary>Whether some override brings a secret, of a listener or of a user.</summary>
    public static bool BringsSecret(IEnumerable<Override> overrides) =>
        overrides.Any(wanted => wanted.Segments[0].Equals("listeners", StringComparison.OrdinalIgnoreCase)
        && wanted.Segments[^1].Equals("secret", StringComparison.OrdinalIgnoreCase));
}
