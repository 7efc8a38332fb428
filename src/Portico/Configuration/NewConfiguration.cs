using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Portico.Protocol.Secrets;

namespace Portico.Configuration;

/// <summary>What a first start decides, since nobody has configured anything.</summary>
internal sealed record NewConfiguration
{
    /// <summary>A host name that belongs to nobody who would mind.</summary>
    public const string NeutralDomain = "www.example.com";

    /// <summary>The port listened on.</summary>
    public int Port { get; init; } = 8443;

    /// <summary>Null writes none: it comes from a flag or the environment and stays there.</summary>
    public ProxySecret? Secret { get; init; } = ProxySecret.Create(RandomNumberGenerator.GetBytes(ProxySecret.Length));

    /// <summary>Null = the neutral one.</summary>
    public string? Domain { get; init; }

    /// <summary>What the listener speaks.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = ["fake-tls"];

    /// <summary>The server that links show; null = an address of this machine.</summary>
    public string? PublicHost { get; init; }

    /// <summary>Ad tag of the listener; null = none.</summary>
    public string? AdTag { get; init; }

    /// <summary>The way to Telegram.</summary>
    public string Mode { get; init; } = "direct";

    /// <summary>What administration over TCP asks for; null writes none.</summary>
    public string? AdminToken { get; init; } = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    private const string Heading = "// Written by the first start of portico. "
        + "Every key is described in docs/configuration.md; `portico check` tells what is in force.";

    /// <summary>Nothing of it: it holds secrets.</summary>
    public override string ToString() => nameof(NewConfiguration);

    /// <summary>The file, with comments for whoever opens it next.</summary>
    public string ToText()
    {
        var secretLine = Secret is null
            ? ""
            : $"      \"secret\": {Json(SecretText.FormatSimple(Secret))}, "
                + "// keep it to yourself; `portico link` prints the links made of it\n";
        var adTagLine = AdTag is null ? "" : $"      \"adTag\": {Json(AdTag)},\n";
        // The site whose name clients show is the one that whoever follows them should find (a name, so that its certificate fits).
        var cover = Domain is null
            ? "\"cover\": { \"mode\": \"off\" }, // a prober sees a closed connection: "
                + "name a real site above and here, \"mode\": \"fixed\", \"target\": \"www.example.com:443\""
            : $"\"cover\": {{ \"mode\": \"fixed\", \"target\": {Json($"{Domain}:443")} }}, "
                + "// what everybody sees who does not know the secret";
        var publicHostNote = PublicHost is null
            ? " // behind NAT, or with a name: the server that links show, for example \"proxy.example.org\""
            : "";
        var adminLine = AdminToken is null
            ? ""
            : $"  \"admin\": {{ \"token\": {Json(AdminToken)} }}, // opens http://127.0.0.1:8444; commands on this machine need none\n";
        var domainNote = Domain is null ? " // links name it as the site that clients seem to visit: put the name of a real site here" : "";
        return $$"""
            {{Heading}}
            {
              "listeners": [
                {
                  "name": "main",
                  "address": "::", // every address of this machine
                  "port": {{Port}},
                  "publicHost": {{(PublicHost is null ? "null" : Json(PublicHost))}},{{publicHostNote}}
            {{secretLine}}{{adTagLine}}      "protocols": [{{string.Join(", ", Protocols.Select(Json))}}],
                  "domain": {{Json(Domain ?? NeutralDomain)}}{{domainNote}}
                }
              ],
              {{cover}}
            {{adminLine}}  "backend": { "mode": {{Json(Mode)}} }
            }

            """;
    }

    /// <summary>Writes <paramref name="text"/> to <paramref name="path"/> for this user only, whole or not at all.</summary>
    /// <returns>False if somebody else has written the file in the meantime: theirs stays.</returns>
    /// <exception cref="Commands.CommandFailure">The place cannot be written to.</exception>
    public static bool TryWrite(string path, string text) =>
        FileFailure.Guard(
            () => NewFile.TryWrite(path, file => file.Write(Encoding.UTF8.GetBytes(text)), endsBySignal: false), "write", path,
            "run portico in a directory that it may write to, or name a file with --config");

    private static string Json(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}
