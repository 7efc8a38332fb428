using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.WebProxy;

/// <summary>Links to WEB proxies as people paste them, and with them hosts, paths and secrets.</summary>
internal sealed class WebLinkTarget : TextTarget
{
    public override string Name => "web-link";

    public override IReadOnlyCollection<string> Expected { get; } =
    [
        "Ok Simple", "Ok Secure", "Invalid NotWebProxy", "Invalid BadAddress", "Invalid UnmarkedSecretWithPath",
        "Invalid SecretUnsupported", "Invalid SecretInvalid",
    ];

    public override IEnumerable<byte[]> Seeds => WebSeeds.Cases("links", "parse")
        .Select(item => Text(item.GetProperty("link").GetString()!))
        .Concat(WebSeeds.Cases("links", "print").Select(item => Text(item.GetProperty("tme").GetString()!)))
        .Concat(WebSeeds.Cases("hosts").Select(item => Text($"tg://webproxy?server={item.GetProperty("text").GetString()}&secret=00")));

    public override IReadOnlyList<byte[]> Tokens { get; } = TokensOf(
        "tg://webproxy?", "https://t.me/webproxy?", "server=", "host=", "&secret=", "https%3A%2F%2F", "%2F", "/", "%", "xn--", ".", "-",
        "0x", "ü", "ß", "cAABAgMEBQYHCAkKCwwNDg8", "cN0AAQIDBAUGBwgJCgsMDQ4P", "000102030405060708090a0b0c0d0e0f", "dd", "ee", "=");

    public override int MaxLength => 512;

    protected override Outcome Read(string text)
    {
        if (!WebProxyLink.TryParse(text, out var address, out var secret, out var error))
        {
            Demand(
                error != WebLinkError.None && address is null && secret is null,
                "refuses without a word, or gives something all the same");
            return new Outcome(FrameStatus.Invalid, error.ToString());
        }

        Demand(
            WebAddress.TryCreate(address.Host, address.Path, out var stored, out _) && stored == address,
            "reads an address that configuration does not take");
        Demand(
            IsRead(WebProxyLink.Tg(address, secret.Kind, secret.Secret)) && IsRead(WebProxyLink.TMe(address, secret.Kind, secret.Secret)),
            "does not read the link it wrote");
        Demand(
            Capability.Compute(address, secret.Kind, secret.Secret).Length == Capability.TextLength,
            "makes a capability of another length");
        return new Outcome(
            FrameStatus.Ok, secret.Kind.ToString(), 0, new Digest().Add(address.ToString()).Add(secret.Secret.Key).Value,
            address.Path.Length == 0 ? 0 : 1 + address.Path.Count(one => one == '/'));

        bool IsRead(string link) =>
            WebProxyLink.TryParse(link, out var addressAgain, out var secretAgain, out _)
            && (addressAgain, secretAgain) == (address, secret);
    }

    private static byte[] Text(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}
