using Portico.Fuzz.Checking;
using Portico.Protocol;
using Portico.Protocol.Secrets;
using static Portico.Fuzz.Checking.ContractException;

namespace Portico.Fuzz.Targets.Secrets;

/// <summary>Secrets as people paste them.</summary>
internal sealed class SecretTextTarget : TextTarget
{
    public override string Name => "secret-text";

    public override IReadOnlyCollection<string> Expected { get; } = ["Ok Simple", "Ok Secure", "Ok FakeTls", "Invalid"];

    public override IEnumerable<byte[]> Seeds => VectorFile.Texts("secrets_links.json", "secrets", "text");

    public override IReadOnlyList<byte[]> Tokens { get; } = TokensOf(
        "dd", "ee", "=", "==", "+", "/", "-", "_", " ", "7", "00112233445566778899aabbccddeeff",
        "6578616d706c652e636f6d", "ABCDEFGHIJKLMNOPQRSTUV");

    public override int MaxLength => 512;

    protected override Outcome Read(string text)
    {
        if (!SecretText.TryParse(text, out var parsed, out var error))
        {
            Demand(error.Length > 0, "refuses without a word");
            // Half a secret in a log is a secret half lost. The digit spares words that the sentences are made of.
            Demand(
                text.Length < 16 || !text.Any(char.IsAsciiDigit)
                    || error.Contains("6578616d706c652e636f6d for example", StringComparison.Ordinal)
                    || !error.Contains(text.Trim(), StringComparison.Ordinal),
                "repeats the secret in its complaint");
            return new Outcome(
                FrameStatus.Invalid,
                Shape: (int)(new Digest().Add(string.Concat(error.Where(c => !char.IsAsciiDigit(c)))).Value & 0xffff));
        }

        Demand(error.Length == 0, "accepts and complains");
        CheckRewriting(parsed);
        return new Outcome(FrameStatus.Ok, parsed.Kind.ToString(), 0, new Digest().Add(parsed.Secret.Key).Add(parsed.Domain ?? "").Value);
    }

    private static void CheckRewriting(ParsedSecret parsed)
    {
        string[] forms = parsed.Kind switch
        {
            SecretKind.Simple => [SecretText.FormatSimple(parsed.Secret)],
            SecretKind.Secure => [SecretText.FormatSecure(parsed.Secret)],
            _ =>
                [SecretText.FormatFakeTls(parsed.Secret, parsed.Domain!), SecretText.FormatFakeTlsBase64Url(parsed.Secret, parsed.Domain!)],
        };
        foreach (var form in forms)
            Demand(SecretText.TryParse(form, out var again, out _) && again == parsed, "does not read the form it wrote");
    }
}
