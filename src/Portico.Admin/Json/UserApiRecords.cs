using System.Collections.Immutable;
using Portico.Core.Control;
using Portico.Core.Options;

namespace Portico.Admin.Json;

/// <summary>All managed users there shall be.</summary>
internal sealed record UserSetRequest
{
    /// <summary>Each as in the configuration; without a secret it keeps its own, or gets a fresh one.</summary>
    public ImmutableArray<UserOptions>? Users { get; init; }
}

/// <summary>A fresh secret shall be made.</summary>
internal sealed record RotateRequest
{
    /// <summary>For so long the old one works too; absent = not at all.</summary>
    public int? GraceSeconds { get; init; }
}

/// <summary>What a change of users did.</summary>
/// <param name="Outcome">applied or unchanged.</param>
/// <param name="Revision">Of the set now; the ETag too.</param>
/// <param name="Added">Names.</param>
/// <param name="Changed">Names.</param>
/// <param name="Removed">Names.</param>
/// <param name="NotKept">Why it would not survive a restart now; it is tried again every ten seconds. null = it would.</param>
/// <param name="Users">The user that was changed, with its links; null where many were.</param>
internal sealed record UserChangeAnswer(
    string Outcome, long Revision, ImmutableArray<string> Added, ImmutableArray<string> Changed, ImmutableArray<string> Removed,
    string? NotKept, ImmutableArray<UserDetailAnswer>? Users);

/// <summary>One user with everything.</summary>
/// <param name="Status">As it is now.</param>
/// <param name="Note">The operator's.</param>
/// <param name="Domain">Of its own; null = the listener's.</param>
/// <param name="AdTag">Of its own; null = the listener's.</param>
/// <param name="Enabled">Not switched off.</param>
/// <param name="PreviousUntil">Until when the secret before is good; null = there is none.</param>
/// <param name="HasFormerSecret">Whether there is one.</param>
/// <param name="Sessions">Those that are open, at most a page.</param>
/// <param name="Links">To share with the user, and with nobody else.</param>
internal sealed record UserDetailAnswer(
    UserStatus Status, string? Note, string? Domain, string? AdTag, bool Enabled, DateTimeOffset? PreviousUntil, bool HasFormerSecret,
    ImmutableArray<SessionStatus> Sessions, ImmutableArray<UserLink> Links);

/// <summary>A user by its name.</summary>
/// <param name="Users">One, or one for each listener that has a user of this name in the file.</param>
internal sealed record UserDetailList(ImmutableArray<UserDetailAnswer> Users);

/// <summary>Sessions of a user that were ended.</summary>
/// <param name="Ended">How many.</param>
internal sealed record UserDisconnect(int Ended);

/// <summary>The managed users as they would be written, secrets included.</summary>
/// <param name="Users">All of them.</param>
/// <param name="Revision">Of the set.</param>
internal sealed record UserExport(ImmutableArray<UserOptions> Users, long Revision);

/// <summary>Traffic by hours and days, oldest first; without those in which there was none.</summary>
/// <param name="Hours">The last 48.</param>
/// <param name="Days">The last 400.</param>
internal sealed record HistoryAnswer(ImmutableArray<HistoryEntry> Hours, ImmutableArray<HistoryEntry> Days);

/// <summary>One hour, or one day.</summary>
/// <param name="Start">When it began.</param>
/// <param name="ReceivedBytes">From clients.</param>
/// <param name="SentBytes">To clients.</param>
internal sealed record HistoryEntry(DateTimeOffset Start, long ReceivedBytes, long SentBytes);

/// <summary>What an operator wants to see first.</summary>
/// <param name="Now">At this moment.</param>
/// <param name="Verdict">ok, starting, draining, memory, descriptors, dc, cover, blocked (on the way) or quiet (nobody came).</param>
/// <param name="StorageProblem">Why users and usage are not kept now; null = they are.</param>
/// <param name="Minutes">Of the last day, oldest first; the last one is under way.</param>
internal sealed record OverviewAnswer(OverviewNow Now, string Verdict, string? StorageProblem, ImmutableArray<MinuteEntry> Minutes);

/// <summary>At this moment.</summary>
/// <param name="Clients">That have a way to Telegram.</param>
/// <param name="ManagedUsers">That there are.</param>
/// <param name="ReceivedPerSecond">Bytes from clients, over the last minute.</param>
/// <param name="SentPerSecond">Bytes to them.</param>
internal sealed record OverviewNow(long Clients, int ManagedUsers, long ReceivedPerSecond, long SentPerSecond);

/// <summary>One minute.</summary>
/// <param name="At">When it began.</param>
/// <param name="Seconds">How long it was.</param>
/// <param name="Clients">That had a way to Telegram at its end.</param>
/// <param name="Connects">Clients that came.</param>
/// <param name="Refusals">Strangers that were refused.</param>
/// <param name="EarlyEnds">Connections that may have been clients and ended before they relayed.</param>
/// <param name="ReceivedBytes">From clients.</param>
/// <param name="SentBytes">To clients.</param>
internal sealed record MinuteEntry(
    DateTimeOffset At, double Seconds, long Clients, long Connects, long Refusals, long EarlyEnds, long ReceivedBytes, long SentBytes);

/// <summary>Until when a browser is known.</summary>
/// <param name="ExpiresAt">Later with each request; null = it is not known by a cookie.</param>
internal sealed record BrowserSession(DateTimeOffset? ExpiresAt);

/// <summary>The token, shown once.</summary>
internal sealed record TokenRequest
{
    /// <summary>admin.token.</summary>
    public string? Token { get; init; }
}
