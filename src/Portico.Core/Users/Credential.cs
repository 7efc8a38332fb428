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
    // Of perhaps a hundred thousand hardly one has any of it, so it is 8 bytes for those who have not.
    private readonly Seldom? _seldom = Seldom.Of(AdTag, Until, former: null);

    /// <summary>Whose channel Telegram shows to the client: the user's own, else the listener's, else none.</summary>
    public AdTag? AdTag
    {
        get => _seldom?.AdTag;
        init => _seldom = Seldom.Of(value, Until, Former);
    }

    /// <summary>Of its own: only a hello for this host name (any case) can be the user's; null = a hello for any name.</summary>
    public string? Domain
    {
        get => Host.Text;
        init => Host = new UserDomain(value);
    }

    /// <summary>The same, without making a text of it.</summary>
    internal UserDomain Host { get; private init; } = new(Domain);

    /// <summary>The user's former secret, which is good until then; null = the one that links show.</summary>
    public DateTimeOffset? Until
    {
        get => _seldom?.Until;
        init => _seldom = Seldom.Of(AdTag, value, Former);
    }

    /// <summary>What the user may do, with each of the secrets.</summary>
    public UserTerms Terms { get; init; } = UserTerms.Unlimited;

    /// <summary>The user, where the same one is known to every listener; null = a user of the listener's alone.</summary>
    internal UserRecord? Shared { get; init; }

    /// <summary>The secret of a managed user before this one, while it is good; null = there is none.</summary>
    internal Credential? Former
    {
        get => _seldom?.Former;
        init => _seldom = Seldom.Of(AdTag, Until, value);
    }

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
        && Host.CompareTo(other.Host) == 0;

    private sealed record Seldom(AdTag? AdTag, DateTimeOffset? Until, Credential? Former)
    {
        // Of a listener's tag, which all of its users have: one for all of them.
        private static Seldom? _ofTag;

        public static Seldom? Of(AdTag? tag, DateTimeOffset? until, Credential? former)
        {
            if (until is not null || former is not null)
                return new Seldom(tag, until?.ToUniversalTime(), former);
            if (tag is null) return null;
            if (Volatile.Read(ref _ofTag) is { } made && ReferenceEquals(made.AdTag, tag))
                return made;
            var one = new Seldom(tag, null, null);
            Volatile.Write(ref _ofTag, one);
            return one;
        }
    }
}
