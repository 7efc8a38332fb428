using System.Collections.Immutable;
using System.Security.Cryptography;
using Portico.Core.Diagnostics;
using Portico.Core.Options;
using Portico.Core.Users;
using Portico.Protocol.Secrets;

namespace Portico.Core.Control;

/// <summary>
/// Users that are managed while the proxy runs, beside those of the configuration file. A change is in force when it is answered: sessions
/// of users that are gone, switched off or have another secret end within a second, all others go on. One change at a time.
/// </summary>
public sealed class UserControl : IDisposable
{
    private static readonly TimeSpan LongestGrace = TimeSpan.FromDays(400);

    private readonly ControlParts _parts;
    private readonly LoopQuestions _loops;
    private readonly SemaphoreSlim _gate = new(1);
    private volatile State _state;

    // Kept, and left out: in nobody's way until they are taken away or put anew.
    private ImmutableHashSet<string> _setAside = [];

    internal UserControl(ControlParts parts, LoopQuestions loops)
    {
        (_parts, _loops) = (parts, loops);
        _state = new State([], parts.Users.Kept.Revision);
    }

    private sealed record State(ImmutableArray<Credential> Users, long Revision);

    /// <summary>Of the set: grows with each change.</summary>
    public long Revision => _state.Revision;

    /// <summary>How many there are.</summary>
    public int Count => _state.Users.Length;

    /// <summary>What cannot be kept, in a sentence; null = nothing.</summary>
    public string? StorageProblem => _parts.Users.Problem;

    /// <summary>Bytes of all users together, in the counters' epoch, as of the last ten seconds.</summary>
    public (long Received, long Sent) Everybody => _parts.Users.Everybody;

    /// <summary>Those that an earlier process kept. Once, before anything else.</summary>
    /// <param name="errors">What could not be taken over, each by its name.</param>
    internal ImmutableArray<Credential> Restore(List<ConfigurationError> errors)
    {
        var now = _parts.Time.GetUtcNow();
        var users = ImmutableArray.CreateBuilder<Credential>(_parts.Users.Kept.Users.Count);
        var parser = new ManagedUserReader(_parts.UsersInFile(), RecordOf, now);
        // One by one: what is wrong with one says nothing of the others.
        foreach (var stored in _parts.Users.Kept.Users)
        {
            var found = new List<ConfigurationError>();
            if (ManagedUserParser.FromStored(stored) is { } options && options.Name == stored.Name)
            {
                if (parser.Read(options, stored.Name, found) is { } user) users.Add(user);
            }
            else
            {
                found.Add(new(stored.Name, "cannot be read"));
            }

            if (found.Count == 0) continue;
            errors.AddRange(found);
            _setAside = _setAside.Add(stored.Name);
        }

        users.Sort(static (one, other) => string.CompareOrdinal(one.Name, other.Name));
        _state = _state with { Users = users.DrainToImmutable() };
        _parts.Users.Restored();
        return _state.Users;
    }

    /// <summary>The whole set, as it would be written, and its revision. Holds secrets.</summary>
    public (ImmutableArray<UserOptions> Users, long Revision) Export()
    {
        var state = _state;
        return ([.. state.Users.Select(ManagedUserParser.ToOptions)], state.Revision);
    }

    /// <summary>One user as it would be written; null = there is no managed user of that name. Holds secrets.</summary>
    public UserOptions? Export(string name) => Find(name) is { } user ? ManagedUserParser.ToOptions(user) : null;

    /// <summary>
    /// Puts a whole set in the place of the one there is. Users that are the same as before keep their sessions, in whatever order they
    /// are; one that has no secret keeps the one it had, or gets a fresh one.
    /// </summary>
    /// <param name="wanted">All managed users.</param>
    /// <param name="revision">The set that the caller saw; null = whichever there is.</param>
    public Task<UserChange> ReplaceAsync(IReadOnlyList<UserOptions> wanted, long? revision = null) =>
        ChangeAsync(revision, before =>
        {
            foreach (var user in wanted.Where(it => it is not null)) user.Secret ??= SecretOf(user.Name, before);
            // A whole set says that there are no others.
            return new Wish([], wanted, _setAside.Except(wanted.Select(it => it?.Name ?? "")));
        });

    /// <summary>Adds one user. Without a secret it gets a fresh one.</summary>
    /// <param name="user">Of a name that nobody has.</param>
    /// <param name="revision">See <see cref="ReplaceAsync"/>.</param>
    public Task<UserChange> AddAsync(UserOptions user, long? revision = null) => ChangeAsync(revision, before =>
    {
        user.Secret ??= FreshSecret();
        return new Wish(before, [user], []);
    });

    /// <summary>Adds users, and changes those that are there; all others stay as they are.</summary>
    /// <param name="edits">
    /// By name: each is given the user as it would be written, or a new one of that name, and changes it or gives another one back. One
    /// that has no secret then keeps the one it had, or gets a fresh one.
    /// </param>
    /// <param name="revision">See <see cref="ReplaceAsync"/>.</param>
    public Task<UserChange> MergeAsync(
        IReadOnlyList<(string Name, Func<UserOptions, UserOptions> Edit)> edits, long? revision = null) => ChangeAsync(revision, before =>
    {
        var named = edits.Select(it => it.Name).ToHashSet(StringComparer.Ordinal);
        return new Wish(before.RemoveAll(user => named.Contains(user.Name)), [.. edits.Select(Edited)], []);

        UserOptions Edited((string Name, Func<UserOptions, UserOptions> Edit) it)
        {
            var user = it.Edit(
                Find(before, it.Name) is { } known ? ManagedUserParser.ToOptions(known) : new UserOptions { Name = it.Name });
            user.Secret ??= SecretOf(it.Name, before);
            return user;
        }
    });

    /// <summary>Changes one user.</summary>
    /// <param name="name">Whom.</param>
    /// <param name="edit">Is given the user as it would be written, and changes it or gives another one back.</param>
    /// <param name="revision">See <see cref="ReplaceAsync"/>.</param>
    public Task<UserChange> EditAsync(string name, Func<UserOptions, UserOptions> edit, long? revision = null) =>
        ChangeOneAsync(name, revision, (others, user) =>
            user is null ? null : new Wish(others, [edit(ManagedUserParser.ToOptions(user))], []));

    /// <summary>Takes one user away; its sessions end.</summary>
    /// <param name="name">Whom.</param>
    /// <param name="revision">See <see cref="ReplaceAsync"/>.</param>
    public Task<UserChange> RemoveAsync(string name, long? revision = null) =>
        ChangeOneAsync(name, revision, (others, user) =>
            user is not null ? new Wish(others, [], []) : _setAside.Contains(name) ? new Wish(others, [], [name]) : null);

    /// <summary>Gives one user a fresh secret.</summary>
    /// <param name="name">Whom.</param>
    /// <param name="grace">For so long the old one works too, and its sessions go on; zero = they end.</param>
    /// <param name="revision">See <see cref="ReplaceAsync"/>.</param>
    public Task<UserChange> RotateAsync(string name, TimeSpan grace, long? revision = null) => EditAsync(name, options =>
    {
        (options.PreviousSecret, options.PreviousUntil) = grace <= TimeSpan.Zero
            ? (null, null)
            : (options.Secret, ManagedUserParser.Written(_parts.Time.GetUtcNow() + (grace < LongestGrace ? grace : LongestGrace)));
        options.Secret = FreshSecret();
        return options;
    }, revision);

    /// <summary>What is used of the period becomes 0, from the next handshake on. Counters that only grow stay.</summary>
    /// <param name="name">Whom, of the file or managed.</param>
    /// <returns>Applied, Unknown, or Stopping: another process keeps users by now.</returns>
    public async Task<UserOutcome> ResetUsageAsync(string name)
    {
        using var hold = await HoldAsync().ConfigureAwait(false);
        var users = Records(name).ToList();
        if (users.Count == 0) return UserOutcome.Unknown;
        if (_parts.Users.IsHandedOver) return UserOutcome.Stopping;
        foreach (var user in users) user.ResetUsage();
        return await _parts.Users.FlushAsync(users).ConfigureAwait(false) ? UserOutcome.Applied : UserOutcome.Stopping;
    }

    /// <summary>Ends all sessions of a user, who may come again at once.</summary>
    /// <param name="name">Whom, of the file or managed.</param>
    /// <returns>How many; null = there is no such user.</returns>
    /// <exception cref="ProxyBusyException">A loop did not answer within 2 s.</exception>
    public async Task<int?> DisconnectAsync(string name)
    {
        var users = Records(name).ToHashSet();
        if (users.Count == 0) return null;
        var ended = 0;
        await _loops.LookAsync(() => session =>
        {
            if (session.User is not { } user || !users.Contains(user)) return;
            Interlocked.Increment(ref ended);
            session.Alone(static it => it.EndFor(CloseReason.EndedByOperator));
        }).ConfigureAwait(false);
        return ended;
    }

    /// <summary>One user, of the file or managed, with its sessions.</summary>
    /// <param name="name">Whom.</param>
    /// <returns>Null if there is no such user; one for each listener that has a user of that name.</returns>
    /// <exception cref="ProxyBusyException">A loop did not answer within 2 s.</exception>
    public async Task<ImmutableArray<UserDetail>> DetailsAsync(string name)
    {
        var found = ImmutableArray.CreateBuilder<UserDetail>();
        foreach (var user in Records(name))
        {
            var (sessions, gate, tally, now) = (new List<SessionStatus>(), new Lock(), new UserTally(), _parts.Time.GetUtcNow());
            await _loops.LookAsync(() => session =>
            {
                if (session.User != user) return;
                lock (gate)
                {
                    tally.Look(session);
                    if (sessions.Count < ProxyControl.MostOnPage)
                        sessions.Add(LoopQuestions.StatusOf(session, now));
                }
            }).ConfigureAwait(false);
            var managed = user.Key.IsManaged ? Find(name) : null;
            found.Add(new UserDetail(
                UserStatus.Of(user, user.Key.Listener, tally.NetworksNow(user), now), user.Terms.Note, managed?.Domain,
                managed?.AdTag is { } tag ? Convert.ToHexStringLower(tag.Bytes) : null, user.Terms.IsEnabled,
                managed?.Former?.Until, [.. sessions]));
        }

        return found.ToImmutable();
    }

    /// <summary>Counters of users that moved since an answer before.</summary>
    /// <param name="since"><see cref="UsageReport.Revision"/> of that answer; 0 = all users.</param>
    public UsageReport Usage(long since)
    {
        // The second in which something moved last: coarse, so that what moves now is told again.
        var now = _parts.Time.GetUtcNow().ToUnixTimeSeconds();
        var users = _parts.AllUsers()
            .Where(user => since == 0 || user.Connections > 0 || user.LastSeen >= since)
            .Select(user => new UserUsage(
                user.Name, user.Key.Listener, user.Received, user.Sent, user.Used, user.Connections,
                user.LastSeen == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(user.LastSeen)));
        var (received, sent) = Everybody;
        return new UsageReport(_parts.Users.Kept.Epoch, now - 1, received, sent, [.. users]);
    }

    /// <summary>
    /// Users that have used so much of their quota, or whose end is so near, found while the caller reads on: nothing is made for the
    /// others, so a hundred thousand cost some milliseconds.
    /// </summary>
    /// <param name="percent">Of the quota.</param>
    /// <param name="ahead">Until the end; those whose end has come are not among them.</param>
    public IEnumerable<UserNearLimit> NearLimits(int percent, TimeSpan ahead)
    {
        var now = _parts.Time.GetUtcNow();
        foreach (var user in _parts.AllUsers())
        {
            if (UserNearLimit.Of(user, percent, now, now + ahead) is { } near) yield return near;
        }
    }

    /// <summary>Traffic by hours and days; null = there is no such user.</summary>
    /// <param name="name">Whom; null = all together.</param>
    /// <exception cref="StoreException">It cannot be read now.</exception>
    public async Task<UsageHistory?> HistoryAsync(string? name)
    {
        if (name is null)
            return await _parts.Users.HistoryAsync(UsageKey.Everybody).ConfigureAwait(false);
        return Records(name).FirstOrDefault() is { } user ? await _parts.Users.HistoryAsync(user.Key).ConfigureAwait(false) : null;
    }

    /// <summary>
    /// While this is held no change of the managed users is under way or begins: what is in force was given to be kept.
    /// Not to be asked for with the proxy's own lock of reloads, which a change needs.
    /// </summary>
    internal async Task<Hold> HoldAsync()
    {
        await _gate.WaitAsync().ConfigureAwait(false);
        return new Hold(_gate);
    }

    /// <summary>See <see cref="HoldAsync"/>.</summary>
    internal readonly struct Hold(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }

    /// <summary>With the proxy.</summary>
    public void Dispose() => _gate.Dispose();

    // The change is given the others and the user, null if there is none of that name; it gives null if there would have to be one.
    private async Task<UserChange> ChangeOneAsync(
        string name, long? revision, Func<ImmutableArray<Credential>, Credential?, Wish?> change)
    {
        var answer = await ChangeAsync(revision, before => IndexOf(before, name) is >= 0 and var at
            ? change(before.RemoveAt(at), before[at])
            : change(before, null)).ConfigureAwait(false);
        return answer.Outcome == UserOutcome.Unknown && Records(name).Any() ? answer with { Outcome = UserOutcome.InFile } : answer;
    }

    private async Task<UserChange> ChangeAsync(long? revision, Func<ImmutableArray<Credential>, Wish?> change)
    {
        using var hold = await HoldAsync().ConfigureAwait(false);
        var before = _state;
        if (revision is { } seen && seen != before.Revision)
            return new(UserOutcome.OtherRevision, before.Revision);
        if (change(before.Users) is not { } wish)
            return new(UserOutcome.Unknown, before.Revision);
        var errors = new List<ConfigurationError>();
        var after = ManagedUserParser.Parse(
            wish.Wanted, wish.Kept, name => Find(before.Users, name), _parts.UsersInFile(), RecordOf, errors, _parts.Time.GetUtcNow());
        if (errors.Count > 0)
            return new(UserOutcome.Refused, before.Revision) { Errors = [.. errors] };
        var difference = Difference.Of(before.Users, after);
        var wanted = wish.Wanted.Select(it => it.Name ?? "").ToHashSet(StringComparer.Ordinal);
        // Users who only lost a former secret whose time is over are kept so, and are no news.
        var changed = difference.Changed.Where(it => wanted.Contains(it.Name)).Select(it => it.Name).ToImmutableArray();
        if (difference.Added.Count + difference.Removed.Count + changed.Length == 0 && wish.Forgotten.IsEmpty)
            return new(UserOutcome.Unchanged, before.Revision);
        // Before sessions are looked at: one whose user is gone ends, even if its secret is another's by then.
        foreach (var user in difference.Removed) user.Shared!.IsForgotten = true;
        if (!await _parts.PutUsers(after).ConfigureAwait(false))
        {
            foreach (var user in difference.Removed) user.Shared!.IsForgotten = false;
            return new(UserOutcome.Stopping, before.Revision);
        }

        _state = new State(after, before.Revision + 1);
        var put = difference.Put.Select(ManagedUserParser.ToStored).ToList();
        ImmutableArray<string> removed = [.. difference.Removed.Select(it => it.Name), .. wish.Forgotten];
        _setAside = _setAside.Except(removed).Except(put.Select(it => it.Name));
        var notKept = await _parts.Users.SaveUsersAsync(before.Revision + 1, put, removed).ConfigureAwait(false);
        return new UserChange(UserOutcome.Applied, before.Revision + 1)
        {
            Added = [.. difference.Added.Select(it => it.Name)],
            Changed = changed,
            Removed = removed,
            NotKept = notKept,
        };
    }

    // What a change asks for: users that stay as they are, users as they are wanted, and names of those that were set aside and shall go.
    private sealed record Wish(ImmutableArray<Credential> Kept, IReadOnlyList<UserOptions> Wanted, ImmutableHashSet<string> Forgotten);

    private sealed record Difference(
        IReadOnlyList<Credential> Added, IReadOnlyList<Credential> Changed, IReadOnlyList<Credential> Removed)
    {
        public IEnumerable<Credential> Put => Added.Concat(Changed);

        // Both are in the order of names.
        public static Difference Of(ImmutableArray<Credential> before, ImmutableArray<Credential> after)
        {
            var (added, changed, removed) = (new List<Credential>(), new List<Credential>(), new List<Credential>());
            var at = 0;
            foreach (var user in after)
            {
                while (at < before.Length && string.CompareOrdinal(before[at].Name, user.Name) < 0) removed.Add(before[at++]);
                if (at == before.Length || before[at].Name != user.Name) added.Add(user);
                else if (!ReferenceEquals(before[at++], user)) changed.Add(user);
            }

            removed.AddRange(before[at..]);
            return new Difference(added, changed, removed);
        }
    }

    private Credential? Find(string name) => Find(_state.Users, name);

    private static Credential? Find(ImmutableArray<Credential> users, string name) =>
        IndexOf(users, name) is >= 0 and var at ? users[at] : null;

    private static int IndexOf(ImmutableArray<Credential> users, string name)
    {
        var (low, high) = (0, users.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = string.CompareOrdinal(users[middle].Name, name);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }

        return -1;
    }

    // Several listeners may have a user of one name in the file.
    private IEnumerable<UserRecord> Records(string name) =>
        Find(name) is { } managed
            ? [managed.Shared!]
            : _parts.AllUsers().Where(user => user.Name == name);

    private UserRecord RecordOf(string name) => new(_parts.Ledger.Managed, name);

    private static string SecretOf(string? name, ImmutableArray<Credential> users) =>
        name is not null && Find(users, name) is { } user
            ? Convert.ToHexStringLower(user.Secret.Key)
            : FreshSecret();

    private static string FreshSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(ProxySecret.Length));
}
