namespace Portico.Core.Users;

/// <summary>What a user may do, beside knowing a secret. What is null has no limit.</summary>
public sealed record UserTerms
{
    /// <summary>Everything, for ever.</summary>
    public static UserTerms Unlimited { get; } = new();

    /// <summary>Off: the secret is known, and lets nobody in.</summary>
    public bool IsEnabled { get; init; } = true;

    /// <summary>From then on the secret lets nobody in.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Sessions at a time, over all listeners of a managed user.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>Networks at a time that sessions come from: IPv4 addresses, and the 64 leading bits of IPv6 addresses.</summary>
    public int? MaxNetworks { get; init; }

    /// <summary>Bytes per second to all clients of the user together.</summary>
    public long? DownRate { get; init; }

    /// <summary>Bytes per second from all clients of the user together.</summary>
    public long? UpRate { get; init; }

    /// <summary>Bytes per period.</summary>
    public UserQuota? Quota { get; init; }

    /// <summary>For the operator's own order.</summary>
    public string? Group { get; init; }

    /// <summary>Likewise.</summary>
    public string? Note { get; init; }
}

/// <summary>How many bytes a user may move, both ways together, in each period.</summary>
/// <param name="Bytes">At least 1.</param>
/// <param name="Period">What begins anew.</param>
/// <param name="ResetDay">
/// Of a month 1 to 31, where a shorter month has its last day; of a week 1 = Monday to 7. Without meaning for other periods.
/// </param>
public sealed record UserQuota(long Bytes, QuotaPeriod Period, int ResetDay = 1);

/// <summary>How long a quota counts.</summary>
public enum QuotaPeriod
{
    /// <summary>For good, until the operator sets usage to 0.</summary>
    None,

    /// <summary>A day of the calendar.</summary>
    Day,

    /// <summary>Seven days.</summary>
    Week,

    /// <summary>From one reset day to the next.</summary>
    Month,
}
