using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Secrets;

/// <summary>Links as people paste them.</summary>
internal sealed class ProxyLinkTarget : TextTarget
{
    public override string Name => "proxy-link";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok Simple", "Ok Secure", "Ok FakeTls", "Invalid"];

    public override IEnumerable<byte[]> Seeds =>
        VectorFile.Texts("secrets_links.json", "links", "tg").Concat(VectorFile.Texts("secrets_links.json", "links", "tme"));

    public override IReadOnlyList<byte[]> Tokens { get; } = TokensOf(
        "tg://proxy?", "tg:proxy?", "https://t.me/proxy?", "telegram.me/proxy?", "server=", "&port=", "&secret=",
        "%00", "%26", "%5B", "%", "[", "]", "::1", "fe80::1%eth0", "#", "65536", "0", "+1", "xn--", ".", "ü");

    public override int MaxLength => 512;

    protected override Outcome Read(string text)
    {
        if (!ProxyLink.TryParse(text, out var host, out var port, out var secret, out var error))
        {
            Demand(error.Length > 0, "refuses without a word");
            return new Outcome(
                FrameStatus.Invalid,
                Shape: (int)(new Digest().Add(string.Concat(error.Where(c => !char.IsAsciiDigit(c)))).Value & 0xffff));
        }

        Demand(error.Length == 0 && port is >= 1 and <= 65535 && host.Length > 0, "accepts and complains, or accepts what is no address");
        var form = SecretText.FormatSimple(secret.Secret);
        foreach (var link in (string[])[ProxyLink.Tg(host, port, form), ProxyLink.TMe(host, port, form)])
        {
            Demand(
                ProxyLink.TryParse(link, out var hostAgain, out var portAgain, out var secretAgain, out _),
                "does not read the link it wrote");
            Demand(
                (hostAgain, portAgain) == (host, port) && secretAgain.Secret.Equals(secret.Secret),
                "reads another address from the link it wrote");
        }

        return new Outcome(
            FrameStatus.Ok, secret.Kind.ToString(), 0,
            new Digest().Add(host).Add(port).Add(secret.Secret.Key).Add(secret.Domain ?? "").Value, (int)Uri.CheckHostName(host));
    }
}
