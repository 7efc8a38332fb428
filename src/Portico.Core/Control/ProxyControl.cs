using System.Collections.Immutable;
using System.Globalization;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Users;

namespace Portico.Core.Control;

/// <summary>
/// All that administration may read and ask of a running proxy, from any thread. It touches no loop: what only a loop knows is asked of
/// it by a post and waited for 2 s at most.
/// </summary>
public sealed class ProxyControl
{
    /// <summary>Sessions or users on a page: less than 200 KB of JSON, whatever their names.</summary>
    public const int MostOnPage = 250;

    private readonly ControlParts _parts;
    private readonly LoopQuestions _loops;
    private readonly StatusReader _status;
    private readonly DateTimeOffset _startedAt;

    internal ProxyControl(ControlParts parts)
    {
        _parts = parts;
        _loops = new LoopQuestions(parts.Loops, parts.Time);
        _status = new StatusReader(parts);
        _startedAt = parts.Time.GetUtcNow();
        Policy = new PolicyControl(parts.Policy);
        ManagedUsers = new UserControl(parts, _loops);
    }

    /// <summary>What happens.</summary>
    public EventFeed Events => _parts.Events;

    /// <summary>Rules and tables.</summary>
    public PolicyControl Policy { get; }

    /// <summary>Users that are managed while the proxy runs.</summary>
    public UserControl ManagedUsers { get; }

    /// <summary>The settings in force.</summary>
    public ProxySettings Settings => _parts.Settings();

    /// <summary>Everything at one moment.</summary>
    /// <param name="version">Of the program.</param>
    public ProxyStatus Status(string version) => _status.Read(version, _startedAt, NotReady());

    /// <summary>
    /// Why new clients should go elsewhere: draining (it stops), no_dc (no data centre that clients asked for can be reached),
    /// descriptors (few are left), memory (95 % in use: newcomers are strangers). Empty = they should not.
    /// </summary>
    public ImmutableArray<string> NotReady()
    {
        var reasons = ImmutableArray.CreateBuilder<string>();
        if (_parts.IsDraining()) reasons.Add("draining");
        if (_status.ReachesNoDc()) reasons.Add("no_dc");
        if (DescriptorReserve.WouldBeScarce(DescriptorReserve.Accepting))
            reasons.Add("descriptors");
        if (_parts.Memory.Level == MemoryLevel.Full) reasons.Add("memory");
        return reasons.ToImmutable();
    }

    /// <summary>Clients that were refused for their time, as the log told of them last; null = there were none.</summary>
    public ClockReport? Clocks => _parts.Clocks();

    /// <summary>Whether there are file descriptors for a connection that is no client's.</summary>
    public static bool HasDescriptors => !DescriptorReserve.WouldBeScarce(DescriptorReserve.Connecting);

    /// <summary>Whether there are file descriptors for a connection of which nobody knows whose it is: clients need some, too.</summary>
    public static bool HasDescriptorsForVisitors => !DescriptorReserve.WouldBeScarce(DescriptorReserve.Accepting);

    /// <summary>Does every loop turn? Asks nobody outside.</summary>
    /// <exception cref="ProxyBusyException">One does not, within 2 s.</exception>
    public Task TurnAsync() => _loops.TurnAsync();

    /// <summary>Connections that are open.</summary>
    /// <param name="cursor"><see cref="SessionPage.Next"/> of the page before; null = the first page.</param>
    /// <param name="limit">Sessions on the page, 1 to <see cref="MostOnPage"/>.</param>
    /// <returns>Null if the cursor is none.</returns>
    /// <exception cref="ProxyBusyException">A loop did not answer within 2 s.</exception>
    public async Task<SessionPage?> SessionsAsync(string? cursor, int limit)
    {
        if (!TryPlace(cursor, out var first)) return null;
        var (sessions, loop, slot) = await _loops.ListAsync(first.Loop, first.Item, limit).ConfigureAwait(false);
        return new(sessions, loop < 0 ? null : Cursor(loop, slot));
    }

    /// <summary>Ends a session (<c>ended_by_operator</c>), as if the proxy stopped.</summary>
    /// <param name="id">As in the list.</param>
    /// <returns>False if there is none of this id.</returns>
    /// <exception cref="ProxyBusyException">Its loop did not answer within 2 s.</exception>
    public Task<bool> EndSessionAsync(string id) =>
        SessionId.TryParse(id, out var known) ? _loops.EndAsync(known) : Task.FromResult(false);

    /// <summary>Users of every listener.</summary>
    /// <param name="cursor"><see cref="UserPage.Next"/> of the page before; null = the first page.</param>
    /// <param name="limit">Users on the page, 1 or more; up to <see cref="MostOnPage"/> they fit into 200 KB of JSON.</param>
    /// <returns>Null if the cursor is none.</returns>
    /// <exception cref="ProxyBusyException">A loop did not answer within 2 s.</exception>
    public async Task<UserPage?> UsersAsync(string? cursor, int limit)
    {
        if (!TryPlace(cursor, out var first)) return null;
        var (users, next) = PageOfUsers(first, limit);
        var tally = await CountAsync().ConfigureAwait(false);
        var now = _parts.Time.GetUtcNow();
        return new([.. users.Select(it => UserStatus.Of(it.User, it.Listener, tally.NetworksNow(it.User), now))], next);
    }

    /// <summary>Has what is known of middle proxies asked for now.</summary>
    public TelegramRefresh RefreshTelegram()
    {
        if (_parts.Updater() is not { } updater) return new("not_used", null);
        return new(updater.Hurry() ? "asked" : "recently", _status.MiddleProxies());
    }

    private (List<(string Listener, UserRecord User)> Users, string? Next) PageOfUsers((int Listener, int User) first, int limit)
    {
        var (listeners, users) = (_parts.Steps()[0].Listeners, new List<(string, UserRecord)>());
        for (var (index, from) = first; index < listeners.Length; (index, from) = (index + 1, 0))
        {
            for (var all = listeners[index].Users; from < all.Places; from++)
            {
                if (all.FirstAt(from) is not { } user || !ListenerUsers.IsCountedAt(index, user))
                    continue;
                if (users.Count == limit) return (users, Cursor(index, from));
                users.Add((listeners[index].Name, user));
            }
        }

        return (users, null);
    }

    private async Task<UserTally> CountAsync()
    {
        var (gate, tallies) = (new Lock(), new List<UserTally>());
        await _loops.LookAsync(() =>
        {
            var tally = new UserTally();
            lock (gate) tallies.Add(tally);
            return tally.Look;
        }).ConfigureAwait(false);
        var sum = new UserTally();
        foreach (var tally in tallies) sum.Add(tally);
        return sum;
    }

    private static string Cursor(int list, int item) => string.Create(CultureInfo.InvariantCulture, $"{list}-{item}");

    private static bool TryPlace(string? cursor, out (int Loop, int Item) place)
    {
        place = default;
        if (cursor is null) return true;
        return cursor.Split('-') is [var list, var item]
            && int.TryParse(list, NumberStyles.None, CultureInfo.InvariantCulture, out place.Loop)
            && int.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out place.Item);
    }
}
