using System.Collections.Immutable;
using System.Globalization;
using Portico.Core.Users;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;

namespace Portico.Core.Options;

/// <summary>The secrets of one listener: <c>secret</c> and <c>users</c> together.</summary>
internal static class Credentials
{
    /// <summary>The user that <c>secret</c> is short for.</summary>
    private const string DefaultUser = "default";

    private const string Fix = $"`portico secret` prints a fresh one; for example \"secret\": \"{ListenerOptions.ExampleSecret}\"";

    /// <summary>
    /// The enabled ones, each with a name and a secret of its own.
    /// Takes time in proportion to the users, of whom there may be very many.
    /// </summary>
    /// <param name="listener">As written.</param>
    /// <param name="path">Of the listener, for errors.</param>
    /// <param name="errors">What is wrong is added here.</param>
    /// <param name="warnings">What is unwise is added here.</param>
    /// <param name="now">When a former secret must still be good; null = now.</param>
    /// <param name="comparer">Tells secrets apart; null = their own constant-time comparison.</param>
    public static ImmutableArray<Credential> Parse(
        ListenerOptions listener, string path, List<ConfigurationError> errors,
        List<ConfigurationError> warnings, DateTimeOffset? now = null, IEqualityComparer<ProxySecret>? comparer = null)
    {
        now ??= TimeProvider.System.GetUtcNow();
        if (listener.Secret is null && listener.Users.Length == 0)
        {
            errors.Add(new($"{path}.secret", $"is missing, and there are no users; {Fix}"));
            return [];
        }

        var enabled = ImmutableArray.CreateBuilder<Credential>(listener.Users.Length + 1);
        var keysByName = new Dictionary<string, string>(StringComparer.Ordinal);
        var keysBySecret = new Dictionary<ProxySecret, string>(comparer);
        var listenerTag = ReadTag(listener.AdTag, $"{path}.adTag");
        if (listener.Secret is { } secret)
        {
            var user = new UserOptions
            {
                Name = DefaultUser,
                Secret = secret,
                PreviousSecret = listener.PreviousSecret,
                PreviousUntil = listener.PreviousUntil,
            };
            Add(user, $"{path}.secret", path);
        }
        else if (listener.PreviousSecret is not null || listener.PreviousUntil is not null)
        {
            errors.Add(new($"{path}.previousSecret", $"goes with secret, which is missing; {Fix}"));
        }

        for (var i = 0; i < listener.Users.Length; i++)
        {
            var (user, key) = (listener.Users[i], $"{path}.users[{i}]");
            Add(user, $"{key}.name", key, ReadTag(user.AdTag, $"{key}.adTag"));
        }

        if (listener.Secret is null && listener.Users.All(user => !user.Enabled))
            errors.Add(new($"{path}.users", "needs at least one that is enabled; for example \"enabled\": true"));
        return enabled.ToImmutable();

        AdTag? ReadTag(string? text, string key)
        {
            if (text is null) return null;
            if (AdTag.TryParse(text, out var tag)) return tag;
            // A secret may have been pasted here: the text is not shown.
            errors.Add(new(key, $"must be the 32 hexadecimal digits that the bot @MTProxybot gives out; this has {text.Length} "
                + $"characters, or one that is no such digit; for example \"adTag\": \"{ListenerOptions.ExampleAdTag}\""));
            return null;
        }

        void Add(UserOptions user, string nameKey, string owner, AdTag? tag = null)
        {
            var secretKey = $"{owner}.secret";
            if (user.Domain is { } domain && DomainName.Problem(domain) is { } wrong)
            {
                errors.Add(new($"{owner}.domain", $"{wrong}; for example \"domain\": \"alice.example.com\""));
            }

            if (user.Name is null || !NameLabel.IsOne(user.Name))
            {
                var what = user.Name is null ? "is missing; it" : ShownText.Quote(user.Name);
                errors.Add(
                    new(nameKey, $"{what} must be 1 to 64 letters, digits, dots, dashes or underscores; for example \"name\": \"alice\""));
            }
            else if (!keysByName.TryAdd(user.Name, secretKey))
            {
                errors.Add(new(nameKey, $"{ShownText.Quote(user.Name)} names another user of this listener too "
                    + $"({keysByName[user.Name]}); links and logs could not tell them apart"));
            }

            if (AddSecret(user.Secret, secretKey) is { } key && user.Enabled)
                enabled.Add(new Credential(user.Name ?? "", key, tag ?? listenerTag, user.Domain));
            if (ReadUntil(user, owner) is not { } until || AddSecret(user.PreviousSecret, $"{owner}.previousSecret") is not { } former)
                return;
            if (until <= now)
                warnings.Add(new($"{owner}.previousUntil", "is over, so previousSecret works no more; leave both away"));
            else if (user.Enabled)
                enabled.Add(new Credential(user.Name ?? "", former, tag ?? listenerTag, user.Domain, until));
        }

        // Null unless both are there.
        DateTimeOffset? ReadUntil(UserOptions user, string owner)
        {
            const string Example = "for example \"previousUntil\": \"2027-01-31T00:00:00Z\"";
            var (untilKey, text) = ($"{owner}.previousUntil", user.PreviousUntil);
            if (text is null)
            {
                if (user.PreviousSecret is not null)
                    errors.Add(new(untilKey, $"is missing: it says how long previousSecret works; {Example}"));
                return null;
            }

            if (user.PreviousSecret is null)
                errors.Add(new($"{owner}.previousSecret", "is missing, so previousUntil has no effect; leave it away, or name the secret"));
            if (text.Contains('T', StringComparison.Ordinal)
                && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var until))
                return user.PreviousSecret is null ? null : until;
            errors.Add(new(untilKey, $"{ShownText.Quote(text)} is not a date with time and zone; {Example}"));
            return null;
        }

        ProxySecret? AddSecret(string? text, string secretKey)
        {
            if (!TryRead(text, out var key, out var problem))
            {
                errors.Add(new(secretKey, problem));
                return null;
            }

            if (!keysBySecret.TryAdd(key, secretKey))
                errors.Add(new(secretKey, $"is the same as {keysBySecret[key]}; every user needs a secret of their own: {Fix}"));
            if (string.Equals(text, ListenerOptions.ExampleSecret, StringComparison.OrdinalIgnoreCase))
                warnings.Add(new(secretKey, "is the one in the documentation, which everybody knows; `portico secret` prints a fresh one"));
            if (IsGuessable(text))
                warnings.Add(new(secretKey, "can be guessed, as it repeats one or two characters; `portico secret` prints a fresh one"));
            return key;
        }
    }

    // Of 32 random digits, this never happens.
    private static bool IsGuessable(string? secret) => secret is { Length: > 2 } && secret.ToUpperInvariant().Distinct().Count() <= 2;

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
            null => $"is missing; {Fix}",
            _ when prefix is "dd" or "ee" && text.All(char.IsAsciiHexDigit) =>
                "is the secret of a link; write only the 32 digits that follow "
                + $"\"{prefix}\" (the domain has a key of its own, the protocols too)",
            _ when text.AsSpan().Trim().Length != text.Length => $"has white space around it; remove it: {Fix}",
            _ when SecretText.TryParse(text, out var parsed, out _) => parsed.Kind == SecretKind.Simple
                ? $"is written in base64; write its 16 bytes as 32 hexadecimal digits, or take a fresh one: {Fix}"
                : "is the secret of a link, in base64; write only the 16 bytes of its key as 32 hexadecimal digits "
                    + "(the domain has a key of its own, the protocols too)",
            { Length: 2 * ProxySecret.Length } => $"has a character that is no hexadecimal digit; {Fix}",
            _ => $"has {text.Length} characters where 32 hexadecimal digits are needed; {Fix}",
        };
        return false;
    }
}
