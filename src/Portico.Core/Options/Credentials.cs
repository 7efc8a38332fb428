using System.Collections.Immutable;
using Portico.Core.Users;
using Portico.Protocol.Secrets;

namespace Portico.Core.Options;

/// <summary>The secrets of one listener: <c>secret</c> and <c>users</c> together.</summary>
internal static class Credentials
{
    /// <summary>The user that <c>secret</c> is short for.</summary>
    private const string DefaultUser = "default";

    /// <summary>
    /// All of them, each with a name and a secret of its own; also of users who are switched off, to be known when they knock.
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
        if (listener.Secret is null && listener.Users.Length == 0)
        {
            errors.Add(new($"{path}.secret", $"is missing, and there are no users; {UserOptionsParser.SecretFix}"));
            return [];
        }

        var tag = UserOptionsParser.ReadTag(listener.AdTag, $"{path}.adTag", errors);
        var users = new UserOptionsParser(errors, warnings, now, comparer);
        var all = ImmutableArray.CreateBuilder<Credential>(listener.Users.Length + 1);
        if (listener.Secret is { } secret)
        {
            var user = new UserOptions
            {
                Name = DefaultUser,
                Secret = secret,
                PreviousSecret = listener.PreviousSecret,
                PreviousUntil = listener.PreviousUntil,
            };
            users.Read(user, path, tag, all, nameKey: $"{path}.secret");
        }
        else if (listener.PreviousSecret is not null || listener.PreviousUntil is not null)
        {
            errors.Add(new($"{path}.previousSecret", $"goes with secret, which is missing; {UserOptionsParser.SecretFix}"));
        }

        for (var i = 0; i < listener.Users.Length; i++) users.Read(listener.Users[i], $"{path}.users[{i}]", tag, all);
        if (listener.Secret is null && listener.Users.All(user => !user.Enabled))
            errors.Add(new($"{path}.users", "needs at least one that is enabled; for example \"enabled\": true"));
        return all.ToImmutable();
    }
}
