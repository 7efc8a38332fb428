using System.Collections.Immutable;
using Portico.Core.Diagnostics;
using Portico.Core.Options;
using Portico.Core.Users;

namespace Portico.Core.Control;

/// <summary>One user at one moment.</summary>
/// <param name="Name">As configured; default = the listener's own secret.</param>
/// <param name="Listener">Whose user it is by the configuration file; empty for a managed one, who is every listener's.</param>
/// <param name="Source">file or managed.</param>
/// <param name="State">active, or why nobody comes in: disabled, expired, quota.</param>
/// <param name="Connections">Sessions that relay.</param>
/// <param name="Networks">Different networks that they come from: IPv4 addresses, and the 64 leading bits of IPv6 addresses.</param>
/// <param name="ReceivedBytes">Bytes from its clients in the counters' epoch.</param>
/// <param name="SentBytes">Bytes to them likewise.</param>
/// <param name="LastSeen">Now while it has a session, else when the last one ended; null = there was none.</param>
/// <param name="Group">The operator's word.</param>
/// <param name="ExpiresAt">When nobody comes in any more; null = never.</param>
/// <param name="MaxConnections">Sessions at a time; null = no limit.</param>
/// <param name="MaxNetworks">Networks at a time; null = no limit.</param>
/// <param name="DownRate">Bytes per second to its clients; null = no limit.</param>
/// <param name="UpRate">Bytes per second from them; null = no limit.</param>
/// <param name="Quota">What it may move; null = as much as it likes.</param>
public sealed record UserStatus(
    string Name, string Listener, string Source, string State, int Connections, int Networks, long ReceivedBytes, long SentBytes,
    DateTimeOffset? LastSeen, string? Group, DateTimeOffset? ExpiresAt, int? MaxConnections, int? MaxNetworks, long? DownRate,
    long? UpRate, QuotaStatus? Quota)
{
    internal static UserStatus Of(UserRecord user, string listener, int networks, DateTimeOffset now)
    {
        var (terms, seconds) = (user.Terms, now.ToUnixTimeSeconds());
        var lastSeen = user.Connections > 0 ? seconds : user.LastSeen;
        var isManaged = user.Key.IsManaged;
        return new UserStatus(
            user.Name, isManaged ? "" : listener, isManaged ? "managed" : "file", StateOf(user, seconds), user.Connections, networks,
            user.Received, user.Sent, lastSeen == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(lastSeen), terms.Group, terms.ExpiresAt,
            terms.MaxConnections, terms.MaxNetworks, terms.DownRate, terms.UpRate,
            terms.Quota is { } quota
                ? new QuotaStatus(
                    quota.Bytes, user.Used, ManagedUserParser.NameOf(quota.Period), quota.ResetDay,
                    user.PeriodDay == 0 ? null : DateOnly.FromDayNumber(user.PeriodDay),
                    user.PeriodDay == 0 ? null : QuotaCalendar.NextAfter(quota, DateOnly.FromDayNumber(user.PeriodDay)))
                : null);
    }

    private static string StateOf(UserRecord user, long unixSeconds) => user.Refusal(unixSeconds) switch
    {
        null => "active",
        CloseReason.UserDisabled => "disabled",
        CloseReason.UserExpired => "expired",
        _ => "quota",
    };
}

/// <summary>A quota and what is used of it.</summary>
/// <param name="Bytes">In each period.</param>
/// <param name="UsedBytes">In this one, both ways.</param>
/// <param name="Period">none, day, week or month.</param>
/// <param name="ResetDay">On which a period begins.</param>
/// <param name="Since">First day of this period; null = there are no periods.</param>
/// <param name="Until">First day of the next one; likewise.</param>
public sealed record QuotaStatus(long Bytes, long UsedBytes, string Period, int ResetDay, DateOnly? Since, DateOnly? Until);

/// <summary>A user who will soon be kept out, or is for want of quota.</summary>
/// <param name="Name">Of the user.</param>
/// <param name="Listener">Empty for a managed one.</param>
/// <param name="QuotaPercent">
/// What is used of the quota, in whole percents, 100 from when nobody comes in any more; null = less than was asked for, or there is none.
/// </param>
/// <param name="PeriodDay">Which period of the quota that is: the number of its first day.</param>
/// <param name="ExpiresAt">When nobody comes in any more; null = that is not near.</param>
public readonly record struct UserNearLimit(
    string Name, string Listener, int? QuotaPercent, int PeriodDay, DateTimeOffset? ExpiresAt)
{
    internal static UserNearLimit? Of(UserRecord user, int percent, DateTimeOffset now, DateTimeOffset soon)
    {
        var terms = user.Terms;
        if (!terms.IsEnabled) return null;
        var end = terms.ExpiresAt is { } expires && expires <= soon ? terms.ExpiresAt : null;
        // Who cannot come in any more is near nothing.
        if (end <= now) return null;
        int? used = null;
        if (terms.Quota is { } quota && PartOf(user, quota) is var part && part >= percent)
            used = part;
        return used is null && end is null ? null : new UserNearLimit(user.Name, user.Key.Listener, used, user.PeriodDay, end);
    }

    // Loops may hold a rest that they leased and do not use: the user is kept out all the same.
    private static int PartOf(UserRecord user, UserQuota quota)
    {
        var part = (int)Int128.Min((Int128)user.Used * 100 / quota.Bytes, int.MaxValue);
        return user.Limits is { IsExhausted: true } ? Math.Max(part, 100) : part;
    }
}

/// <summary>Some of the users.</summary>
/// <param name="Users">Of this page, in the order of the configuration, the managed ones with those of the first listener.</param>
/// <param name="Next">Where the next page begins; null = this is the last.</param>
public sealed record UserPage(ImmutableArray<UserStatus> Users, string? Next);

/// <summary>One managed user with everything but its secrets.</summary>
/// <param name="Status">As it is now.</param>
/// <param name="Note">The operator's.</param>
/// <param name="Domain">Of its own; null = the listener's.</param>
/// <param name="AdTag">Of its own, 32 hexadecimal digits; null = the listener's.</param>
/// <param name="IsEnabled">Not switched off.</param>
/// <param name="PreviousUntil">Until when the secret before is good; null = there is none.</param>
/// <param name="Sessions">Those that are open, at most a page.</param>
public sealed record UserDetail(
    UserStatus Status, string? Note, string? Domain, string? AdTag, bool IsEnabled, DateTimeOffset? PreviousUntil,
    ImmutableArray<SessionStatus> Sessions);

/// <summary>How a change of the managed users went.</summary>
public enum UserOutcome
{
    /// <summary>It is in force.</summary>
    Applied,

    /// <summary>It changes nothing.</summary>
    Unchanged,

    /// <summary>Something is wrong with it (<see cref="UserChange.Errors"/>); nothing is changed.</summary>
    Refused,

    /// <summary>The set is not the one that the caller saw; nothing is changed.</summary>
    OtherRevision,

    /// <summary>There is no user of that name.</summary>
    Unknown,

    /// <summary>The user stands in the configuration file, which is never written.</summary>
    InFile,

    /// <summary>The proxy is stopping, or another process has taken over.</summary>
    Stopping,
}

/// <summary>What a change of the managed users did.</summary>
/// <param name="Outcome">How it went.</param>
/// <param name="Revision">Of the set now.</param>
public sealed record UserChange(UserOutcome Outcome, long Revision)
{
    /// <summary>Names of users that are new, changed and gone.</summary>
    public ImmutableArray<string> Added { get; init; } = [];

    /// <inheritdoc cref="Added"/>
    public ImmutableArray<string> Changed { get; init; } = [];

    /// <inheritdoc cref="Added"/>
    public ImmutableArray<string> Removed { get; init; } = [];

    /// <summary>What is wrong.</summary>
    public ImmutableArray<ConfigurationError> Errors { get; init; } = [];

    /// <summary>Why it would not survive a restart now, and will be tried again; null = it would.</summary>
    public string? NotKept { get; init; }
}

/// <summary>Counters of one user.</summary>
/// <param name="Name">Of the user.</param>
/// <param name="Listener">Empty for a managed one.</param>
/// <param name="ReceivedBytes">Bytes from its clients in the epoch.</param>
/// <param name="SentBytes">Bytes to them.</param>
/// <param name="UsedBytes">Of its quota's period; without a quota, of all time.</param>
/// <param name="Connections">Sessions that relay.</param>
/// <param name="LastSeen">When a session last began or ended; null = none did.</param>
public sealed record UserUsage(
    string Name, string Listener, long ReceivedBytes, long SentBytes, long UsedBytes, int Connections, DateTimeOffset? LastSeen);

/// <summary>Counters of the users whose counters moved.</summary>
/// <param name="Epoch">Counters only grow while this is the same; with another one a reader begins anew.</param>
/// <param name="Revision">To be asked with next time.</param>
/// <param name="ReceivedBytes">Bytes of all users together.</param>
/// <param name="SentBytes">Likewise.</param>
/// <param name="Users">Those that moved.</param>
public sealed record UsageReport(string Epoch, long Revision, long ReceivedBytes, long SentBytes, ImmutableArray<UserUsage> Users);
