using Portico.Protocol.MiddleProxy;
using Portico.Protocol.Secrets;

namespace Portico.Core.Users;

/// <summary>One secret and the name of who holds it.</summary>
/// <param name="Name">Of the user; <c>default</c> for the listener's own secret.</param>
/// <param name="Secret">What the client must know.</param>
/// <param name="AdTag">Whose channel Telegram shows to the client: the user's own, else the listener's, else none.</param>
/// <param name="Domain">Of its own: only a hello for this host name (any case) can be the user's; null = a hello for any name.</param>
/// <param name="Until">The user's former secret, which is good until then; null = the one that links show.</param>
public sealed record Credential(
    string Name, ProxySecret Secret, AdTag? AdTag = null, string? Domain = null, DateTimeOffset? Until = null)
{
    // 8 bytes, where the record would keep 24 for each of perhaps a hundred thousand. long.MaxValue = for ever.
    private readonly long _untilTicks = Until?.UtcTicks ?? long.MaxValue;

    /// <summary>The user's former secret, which is good until then; null = the one that links show.</summary>
    public DateTimeOffset? Until
    {
        get => _untilTicks == long.MaxValue ? null : new DateTimeOffset(_untilTicks, TimeSpan.Zero);
        init => _untilTicks = value?.UtcTicks ?? long.MaxValue;
    }

    /// <summary>What the user may do, with each of the secrets.</summary>
    public UserTerms Terms { get; init; } = UserTerms.Unlimited;

    /// <summary>The user, where the same one is known to every listener; null = a user of the listener's alone.</summary>
    internal UserRecord? Shared { get; init; }

    /// <summary>The secret of a managed user before this one, while it is good; null = there is none.</summary>
    internal Credential? Former { get; init; }

    /// <summary>Links show it: not a former secret, and not of a user who is switched off.</summary>
    public bool IsShown => Until is null && Terms.IsEnabled;

    /// <summary>The secrets of a managed user, for a listener whose users have an ad tag if they have none of their own.</summary>
    internal IEnumerable<Credential> AllWith(AdTag? tag)
    {
        yield return AdTag is null && tag is not null ? this with { AdTag = tag } : this;
        if (Former is not null)
            yield return Former.AdTag is null && tag is not null ? Former with { AdTag = tag } : Former;
    }

    /// <summary>Whether a caller is told apart from others in the same way: what a judge looks at, and who it says it is.</summary>
    internal bool JudgesLike(Credential other) =>
        Name == other.Name && Secret.Equals(other.Secret) && AdTag == other.AdTag && Until == other.Until
        && string.Equals(Domain, other.Domain, StringComparison.OrdinalIgnoreCase);
}
