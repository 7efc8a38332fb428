using System.Collections.Immutable;
using System.Globalization;
using Portico.Core.Users;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;

namespace Portico.Core.Options;

/// <summary>
/// Reads users one after the other, and holds each against those before it: no two have a name or a secret in common. The same for the
/// users of a file and for those that are managed while the proxy runs.
/// </summary>
/// <param name="errors">What is wrong is added here, each with the key of what is wrong.</param>
/// <param name="warnings">What is unwise is added here.</param>
/// <param name="now">When a former secret must still be good; null = now.</param>
/// <param name="comparer">Tells secrets apart; null = their own constant-time comparison.</param>
internal sealed class UserOptionsParser(
    List<ConfigurationError> errors, List<ConfigurationError> warnings, DateTimeOffset? now = null,
    IEqualityComparer<ProxySecret>? comparer = null)
{
    /// <summary>How a secret that is wrong is put right.</summary>
    public const string SecretFix = $"`portico secret` prints a fresh one; for example \"secret\": \"{ListenerOptions.ExampleSecret}\"";

    private readonly DateTimeOffset _now = now ?? TimeProvider.System.GetUtcNow();
    private readonly Dictionary<string, string> _keysByName = new(StringComparer.Ordinal);
    private readonly Dictionary<ProxySecret, string> _keysBySecret = new(comparer);

    /// <summary>Reads an ad tag; null if there is none, or none that is right.</summary>
    public static AdTag? ReadTag(string? text, string key, List<ConfigurationError> errors)
    {
        if (text is null) return null;
        if (AdTag.TryParse(text, out var tag)) return tag;
        // A secret may have been pasted here: the text is not shown.
        errors.Add(new(key, $"must be the 32 hexadecimal digits that the bot @MTProxybot gives out; this has {text.Length} "
            + $"characters, or one that is no such digit; for example \"adTag\": \"{ListenerOptions.ExampleAdTag}\""));
        return null;
    }

    /// <summary>A name and a secret that stand elsewhere already: whoever is read later may not have them.</summary>
    /// <param name="credential">Of another source.</param>
    /// <param name="place">Where it stands, for the error.</param>
    public void Reserve(Credential credential, string place)
    {
        _keysByName.TryAdd(credential.Name, place);
        _keysBySecret.TryAdd(credential.Secret, place);
    }

    /// <summary>Reads one user.</summary>
    /// <param name="user">As written.</param>
    /// <param name="path">Of the user, for errors.</param>
    /// <param name="tag">Of those who have none of their own.</param>
    /// <param name="into">The secret that links show, then the former one if it is still good.</param>
    /// <param name="nameKey">What the name is written under; null = the user's own key.</param>
    public void Read(
        UserOptions user, string path, AdTag? tag, ImmutableArray<Credential>.Builder into, string? nameKey = null)
    {
        var secretKey = $"{path}.secret";
        CheckName(user, nameKey, path, secretKey);
        if (user.Domain is { } domain && DomainName.Problem(domain) is { } wrong)
            errors.Add(new($"{path}.domain", $"{wrong}; for example \"domain\": \"alice.example.com\""));
        var ownTag = (user.AdTag is null ? null : ReadTag(user.AdTag, $"{path}.adTag", errors)) ?? tag;
        var terms = new UserTermsParser(errors).Read(user, path);
        if (ReadSecret(user.Secret, secretKey) is { } secret)
            into.Add(new Credential(user.Name ?? "", secret, ownTag, user.Domain) { Terms = terms });
        if (ReadUntil(user, path) is not { } until || ReadSecret(user.PreviousSecret, $"{path}.previousSecret") is not { } former)
            return;
        if (until <= _now)
            warnings.Add(new($"{path}.previousUntil", "is over, so previousSecret works no more; leave both away"));
        else
            into.Add(new Credential(user.Name ?? "", former, ownTag, user.Domain, until) { Terms = terms });
    }

    private void CheckName(UserOptions user, string? nameKey, string path, string secretKey)
    {
        if (user.Name is null || !NameLabel.IsOne(user.Name))
        {
            var what = user.Name is null ? "is missing; it" : ShownText.Quote(user.Name);
            errors.Add(
                new(Key(), $"{what} must be 1 to 64 letters, digits, dots, dashes or underscores; for example \"name\": \"alice\""));
        }
        else if (!_keysByName.TryAdd(user.Name, secretKey))
        {
            errors.Add(new(Key(), $"{ShownText.Quote(user.Name)} names another user of this listener too "
                + $"({_keysByName[user.Name]}); links and logs could not tell them apart"));
        }

        string Key() => nameKey ?? $"{path}.name";
    }

    // Null unless both are there.
    private DateTimeOffset? ReadUntil(UserOptions user, string path)
    {
        const string Example = "for example \"previousUntil\": \"2027-01-31T00:00:00Z\"";
        var text = user.PreviousUntil;
        if (text is null && user.PreviousSecret is null) return null;
        var untilKey = $"{path}.previousUntil";
        if (text is null)
        {
            errors.Add(new(untilKey, $"is missing: it says how long previousSecret works; {Example}"));
            return null;
        }

        if (user.PreviousSecret is null)
            errors.Add(new($"{path}.previousSecret", "is missing, so previousUntil has no effect; leave it away, or name the secret"));
        if (TryMoment(text, out var until)) return user.PreviousSecret is null ? null : until;
        errors.Add(new(untilKey, $"{ShownText.Quote(text)} is not a date with time and zone; {Example}"));
        return null;
    }

    /// <summary>A date with time and zone.</summary>
    internal static bool TryMoment(string text, out DateTimeOffset moment)
    {
        moment = default;
        return text.Contains('T', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out moment);
    }

    private ProxySecret? ReadSecret(string? text, string secretKey)
    {
        if (!TryRead(text, out var key, out var problem))
        {
            errors.Add(new(secretKey, problem));
            return null;
        }

        if (!_keysBySecret.TryAdd(key, secretKey))
            errors.Add(new(secretKey, $"is the same as {_keysBySecret[key]}; every user needs a secret of their own: {SecretFix}"));
        if (string.Equals(text, ListenerOptions.ExampleSecret, StringComparison.OrdinalIgnoreCase))
            warnings.Add(new(secretKey, "is the one in the documentation, which everybody knows; `portico secret` prints a fresh one"));
        if (IsGuessable(text))
            warnings.Add(new(secretKey, "can be guessed, as it repeats one or two characters; `portico secret` prints a fresh one"));
        return key;
    }

    // Of 32 random digits, this never happens.
    private static bool IsGuessable(string? secret)
    {
        if (secret is not { Length: > 2 }) return false;
        var (one, other) = (char.ToUpperInvariant(secret[0]), default(char));
        foreach (var character in secret)
        {
            var digit = char.ToUpperInvariant(character);
            if (digit == one || digit == other) continue;
            if (other != default) return false;
            other = digit;
        }

        return true;
    }

    // Says how the text differs from 32 hexadecimal digits, never what it is.
    private static bool TryRead(string? text, out ProxySecret secret, out string problem)
    {
        Span<byte> key = stackalloc byte[ProxySecret.Length];
        secret = null!;
        problem = "";
        if (text is { Length: 2 * ProxySecret.Length }
            && Convert.FromHexString(text, key, out _, out _) == System.Buffers.OperationStatus.Done)
        {
            secret = ProxySecret.Create(key);
            return true;
        }

        var prefix = text is { Length: > 2 * ProxySecret.Length } ? text[..2].ToLowerInvariant() : "";
        problem = text switch
        {
            null => $"is missing; {SecretFix}",
            _ when prefix is "dd" or "ee" && text.All(char.IsAsciiHexDigit) =>
                "is the secret of a link; write only the 32 digits that follow "
                + $"\"{prefix}\" (the domain has a key of its own, the protocols too)",
            _ when text.AsSpan().Trim().Length != text.Length => $"has white space around it; remove it: {SecretFix}",
            _ when SecretText.TryParse(text, out var parsed, out _) => parsed.Kind == SecretKind.Simple
                ? $"is written in base64; write its 16 bytes as 32 hexadecimal digits, or take a fresh one: {SecretFix}"
                : "is the secret of a link, in base64; write only the 16 bytes of its key as 32 hexadecimal digits "
                    + "(the domain has a key of its own, the protocols too)",
            { Length: 2 * ProxySecret.Length } => $"has a character that is no hexadecimal digit; {SecretFix}",
            _ => $"has {text.Length} characters where 32 hexadecimal digits are needed; {SecretFix}",
        };
        return false;
    }
}
