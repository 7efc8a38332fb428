namespace Portico.Core.Options;

/// <summary>One element of <c>listeners[].users</c>.</summary>
public sealed class UserOptions
{
    /// <summary>Name.</summary>
    [Option("Name of the user in logs and for `portico link --user`. Needed.", Example = "\"alice\"", Needed = true,
        TakesEffect = TakesEffect.Live)]
    public string? Name { get; set; }

    /// <summary>Secret.</summary>
    [Option("The user's own secret: 32 hexadecimal digits. Needed. `portico secret` prints a fresh one.",
        Example = $"\"{ListenerOptions.ExampleSecret}\"", Secret = true, Needed = true, TakesEffect = TakesEffect.Live)]
    public string? Secret { get; set; }

    /// <summary>The secret before.</summary>
    [Option("The secret before secret was changed: it works until previousUntil, so that links can be handed out in peace.",
        Example = $"\"{ListenerOptions.ExampleFormerSecret}\"", Secret = true, TakesEffect = TakesEffect.Live)]
    public string? PreviousSecret { get; set; }

    /// <summary>When it ends.</summary>
    [Option("When previousSecret stops working and its sessions end: a date with time and zone. Needed with previousSecret.",
        Example = "\"2027-01-31T00:00:00Z\"", TakesEffect = TakesEffect.Live)]
    public string? PreviousUntil { get; set; }

    /// <summary>Ad tag.</summary>
    [Option("The user's own ad tag: 32 hexadecimal digits from the bot @MTProxybot. Absent = the listener's.",
        Example = $"\"{ListenerOptions.ExampleAdTag}\"", TakesEffect = TakesEffect.NewSessions)]
    public string? AdTag { get; set; }

    /// <summary>Domain.</summary>
    [Option(
        "A host name of the user's own for fake-TLS links, which the site behind should answer for too. "
            + "Only hellos for it are tried with the user's secret, "
            + "so that many users cost a stranger's hello no more time. Absent = the listener's, and a hello for any name is tried.",
        Example = "\"alice.example.com\"", TakesEffect = TakesEffect.NewSessions)]
    public string? Domain { get; set; }

    /// <summary>Enabled.</summary>
    [Option("Off: the user's link stops working, and the entry stays.", TakesEffect = TakesEffect.Live)]
    public bool Enabled { get; set; } = true;

    /// <summary>Expiry; never, since most users stay.</summary>
    [Option("When the user's link stops working and its sessions end: a date with time and zone. Absent = never.",
        Example = "\"2027-01-31T00:00:00Z\"", TakesEffect = TakesEffect.Live)]
    public string? ExpiresAt { get; set; }

    /// <summary>Sessions; no limit of its own.</summary>
    [Option("The user's sessions at a time; an app opens up to ten. One more is treated like a stranger. Absent = no limit.",
        Minimum = 1, Maximum = 10000000, Example = "50", TakesEffect = TakesEffect.Live)]
    public int? MaxConnections { get; set; }

    /// <summary>Networks; no limit of its own.</summary>
    [Option("Networks at a time from which the user has sessions: IPv4 addresses, and the 64 leading bits of IPv6 addresses. "
            + "One more takes the place of the one that has been silent longest, if that is 30 s or more; else it is treated like "
            + "a stranger. A limit of people who share a link, as a home is one network. Absent = no limit.",
        Minimum = 1, Maximum = 100000, Example = "3", TakesEffect = TakesEffect.Live)]
    public int? MaxNetworks { get; set; }

    /// <summary>Rate.</summary>
    [Option("How fast all sessions of the user together may be.")]
    public RateOptions Rate { get; set; } = new();

    /// <summary>Quota; none.</summary>
    [Option("How much all sessions of the user together may move, both ways. null = as much as it likes.",
        Example = """{ "bytes": "50 GiB", "period": "month" }""", TakesEffect = TakesEffect.Live)]
    public QuotaOptions? Quota { get; set; }

    /// <summary>Group.</summary>
    [Option("A word of the operator's own to sort users by.", Example = "\"family\"", TakesEffect = TakesEffect.Live)]
    public string? Group { get; set; }

    /// <summary>Note.</summary>
    [Option("What the operator wants to remember of the user; shown in lists, never to the user.",
        Example = "\"from the chess club\"", TakesEffect = TakesEffect.Live)]
    public string? Note { get; set; }
}

/// <summary><c>listeners[].users[].rate</c>.</summary>
public sealed class RateOptions
{
    /// <summary>Down; no limit.</summary>
    [Option("Bytes per second to the user's clients: a number, or a text with a unit. Absent = no limit.",
        Example = "\"2 MiB\"", TakesEffect = TakesEffect.Live)]
    public ByteSize? Down { get; set; }

    /// <summary>Up; no limit.</summary>
    [Option("Bytes per second from the user's clients. Absent = no limit.", Example = "\"1 MiB\"", TakesEffect = TakesEffect.Live)]
    public ByteSize? Up { get; set; }
}

/// <summary><c>listeners[].users[].quota</c>.</summary>
public sealed class QuotaOptions
{
    /// <summary>Bytes.</summary>
    [Option("Bytes in each period: a number, or a text with a unit. When they are used up, the user's sessions end. Needed.",
        Example = "\"50 GiB\"", Needed = true, TakesEffect = TakesEffect.Live)]
    public ByteSize? Bytes { get; set; }

    /// <summary>Period; a month, as providers count.</summary>
    [Option("When the bytes begin anew: none = never, unless the operator resets them; day, week, month (in timeZone).",
        OneOf = ["none", "day", "week", "month"], TakesEffect = TakesEffect.Live)]
    public string Period { get; set; } = "month";

    /// <summary>Reset day.</summary>
    [Option("The day on which a period begins: of a month 1 to 31 (in a shorter one its last day), of a week 1 (Monday) to 7.",
        Minimum = 1, Maximum = 31, TakesEffect = TakesEffect.Live)]
    public int ResetDay { get; set; } = 1;
}
