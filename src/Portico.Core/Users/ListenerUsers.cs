using System.Collections.Immutable;
using Portico.Protocol.Secrets;

namespace Portico.Core.Users;

/// <summary>
/// Whose secrets are good on one listener at this moment. It stays while settings change: a session that
/// proved a secret is asked for here, whatever settings it began under. Read by all loops, replaced whole.
/// </summary>
/// <param name="listener">Name of the listener, under which the usage of its own users is kept.</param>
/// <param name="ledger">Of the whole proxy.</param>
internal sealed class ListenerUsers(string listener, UsageLedger ledger)
{
    private volatile Book _book = new([], new SecretIndex([]), [], []);

    // To each credential its user; and all users, each once.
    private sealed record Book(
        ImmutableArray<Credential> Credentials, SecretIndex Index, ImmutableArray<UserRecord> Holders, ImmutableArray<UserRecord> Users);

    /// <summary>All of them, those with a former secret once.</summary>
    public ImmutableArray<UserRecord> All => _book.Users;

    /// <summary>The users of several listeners, each once: a managed one is every listener's.</summary>
    public static IEnumerable<UserRecord> AllOf(IEnumerable<ListenerUsers> listeners) =>
        listeners.SelectMany((listener, index) => listener.All.Where(user => IsCountedAt(index, user)));

    /// <summary>Whether a user is counted with those of a listener, by its place: a managed one is with the first.</summary>
    public static bool IsCountedAt(int listener, UserRecord user) => listener == 0 || !user.Key.IsManaged;

    /// <summary>The user that a secret is good for now; null = it is no one's any more.</summary>
    /// <param name="secret">As it was proved, or what it was derived from.</param>
    /// <param name="unixSeconds">Our clock.</param>
    public UserRecord? Find(ProxySecret secret, long unixSeconds)
    {
        var book = _book;
        if (book.Index.Find(secret) is not (>= 0 and var at)) return null;
        return unixSeconds >= book.Credentials[at].Until?.ToUnixTimeSeconds() ? null : book.Holders[at];
    }

    /// <summary>The listener is gone.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>No secret is good any more.</summary>
    public void Close()
    {
        IsClosed = true;
        Replace([], default);
    }

    /// <summary>From now on these. A user of the same name is the same one, whatever the secret. One caller at a time.</summary>
    /// <param name="credentials">All of them.</param>
    /// <param name="today">In the operator's time zone.</param>
    public void Replace(ImmutableArray<Credential> credentials, DateOnly today)
    {
        var known = _book.Users.Where(user => !user.Key.IsManaged)
            .ToDictionary(user => user.Name, StringComparer.Ordinal);
        var holders = ImmutableArray.CreateBuilder<UserRecord>(credentials.Length);
        var added = new Dictionary<string, UserRecord>(credentials.Length, StringComparer.Ordinal);
        foreach (var credential in credentials)
        {
            if (!added.TryGetValue(credential.Name, out var user))
            {
                user = credential.Shared ?? known.GetValueOrDefault(credential.Name)
                    ?? new UserRecord(new UsageKey(listener, credential.Name), ledger);
                user.Apply(credential.Terms, today);
                added.Add(credential.Name, user);
            }

            holders.Add(user);
        }

        // A user that comes back goes on from where it was.
        ledger.Restore(known.Values.Where(user => !added.ContainsKey(user.Name)).Select(user => user.ToRow()));
        var all = holders.DrainToImmutable();
        // A user with a former secret is there twice, and hardly anybody has one.
        var users = added.Count == all.Length ? all : [.. all.Distinct()];
        _book = new Book(credentials, new SecretIndex(credentials), all, users);
    }

    /// <summary>How many had a client since the last call.</summary>
    public int TakeLately() => _book.Users.Count(user => user.TakeLately());
}
