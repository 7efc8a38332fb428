using System.Collections.Immutable;
using Portico.Protocol.Secrets;

namespace Portico.Core.Users;

/// <summary>
/// Whose secrets are good on one listener at this moment. It stays while settings change: a session that
/// proved a secret is asked for here, whatever settings it began under. Read by all loops, replaced whole.
/// </summary>
internal sealed class ListenerUsers
{
    private volatile Book _book = new([], []);

    private sealed record Book(Dictionary<ProxySecret, Entry> BySecret, ImmutableArray<UserRecord> Users);

    // What a former secret is good until, Unix seconds.
    private readonly record struct Entry(UserRecord User, long Until);

    /// <summary>All of them, those with a former secret once.</summary>
    public ImmutableArray<UserRecord> All => _book.Users;

    /// <summary>The user that a secret is good for now; null = it is no one's any more.</summary>
    /// <param name="secret">As it was proved, or what it was derived from.</param>
    /// <param name="unixSeconds">Our clock.</param>
    public UserRecord? Find(ProxySecret secret, long unixSeconds) =>
        _book.BySecret.TryGetValue(secret, out var entry) && unixSeconds < entry.Until ? entry.User : null;

    /// <summary>The listener is gone.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>No secret is good any more.</summary>
    public void Close()
    {
        IsClosed = true;
        Replace([]);
    }

    /// <summary>From now on these. A user of the same name is the same one, whatever the secret. One caller at a time.</summary>
    public void Replace(ImmutableArray<Credential> credentials)
    {
        var known = _book.Users.ToDictionary(user => user.Name, StringComparer.Ordinal);
        var bySecret = new Dictionary<ProxySecret, Entry>(credentials.Length);
        var users = ImmutableArray.CreateBuilder<UserRecord>(credentials.Length);
        var added = new HashSet<string>(StringComparer.Ordinal);
        foreach (var credential in credentials)
        {
            if (!known.TryGetValue(credential.Name, out var user))
                known.Add(credential.Name, user = new UserRecord(credential.Name));
            if (added.Add(credential.Name)) users.Add(user);
            bySecret[credential.Secret] = new Entry(user, credential.Until?.ToUnixTimeSeconds() ?? long.MaxValue);
        }

        _book = new Book(bySecret, users.ToImmutable());
    }

    /// <summary>How many had a client since the last call.</summary>
    public int TakeLately() => _book.Users.Count(user => user.TakeLately());
}
