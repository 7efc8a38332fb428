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
    private readonly UserScope _scope = new(listener, ledger);
    private volatile Book _book = new([], [], 0);

    // No two users of a listener have one name, and a user's secrets stand side by side. Whose one is, a managed user's says itself; of the
    // others, which come first, it stands in its place: so there is no list of perhaps a hundred thousand beside that of their secrets.
    private sealed class Book(ImmutableArray<Credential> credentials, ImmutableArray<UserRecord> own, int users)
    {
        public ImmutableArray<Credential> Credentials => credentials;

        public ImmutableArray<UserRecord> Own => own;

        public SecretIndex Index { get; } = new(credentials);

        public int Users => users;

        public UserRecord? FirstAt(int place) =>
            place >= credentials.Length || (place > 0 && UserAt(place - 1) == UserAt(place)) ? null : UserAt(place);

        public UserRecord UserAt(int place) => credentials[place].Shared ?? own[place];
    }

    /// <summary>How many they are, those with a former secret once.</summary>
    public int Count => _book.Users;

    /// <summary>How many secrets they have.</summary>
    public int Places => _book.Credentials.Length;

    /// <summary>The user whose first secret is at a place; null = it is a former one, or none.</summary>
    public UserRecord? FirstAt(int place) => _book.FirstAt(place);

    /// <summary>All of them, each once. As they are when the first is asked for.</summary>
    public IEnumerable<UserRecord> All
    {
        get
        {
            var book = _book;
            for (var place = 0; place < book.Credentials.Length; place++)
            {
                if (book.FirstAt(place) is { } user) yield return user;
            }
        }
    }

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
        return unixSeconds >= book.Credentials[at].Until?.ToUnixTimeSeconds() ? null : book.UserAt(at);
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
        var known = _book.Own.Distinct().Where(user => !user.Key.IsManaged)
            .ToDictionary(user => user.Name, StringComparer.Ordinal);
        var own = ImmutableArray.CreateBuilder<UserRecord>();
        var added = new Dictionary<string, UserRecord>(credentials.Length, StringComparer.Ordinal);
        for (var place = 0; place < credentials.Length; place++)
        {
            var credential = credentials[place];
            if (!added.TryGetValue(credential.Name, out var user))
            {
                user = credential.Shared ?? known.GetValueOrDefault(credential.Name)
                    ?? new UserRecord(_scope, credential.Name);
                user.Apply(credential.Terms, today);
                added.Add(credential.Name, user);
            }

            if (credential.Shared is not null) continue;
            while (own.Count < place) own.Add(user); // never looked at
            own.Add(user);
        }

        // A user that comes back goes on from where it was.
        ledger.Restore(known.Values.Where(user => !added.ContainsKey(user.Name)).Select(user => user.ToRow()));
        _book = new Book(credentials, own.DrainToImmutable(), added.Count);
    }

    /// <summary>How many had a client since the last call.</summary>
    public int TakeLately() => All.Count(user => user.TakeLately());
}
