namespace Portico.Core.Diagnostics;

/// <summary>Something that happened, for whoever watches the proxy. What does not belong to its type is null.</summary>
public sealed record ProxyEvent
{
    /// <summary>A client has a way to Telegram.</summary>
    public const string SessionOpened = "session_opened";

    /// <summary>A connection has ended, a stranger's too.</summary>
    public const string SessionClosed = "session_closed";

    /// <summary>The configuration was read again.</summary>
    public const string Reload = "reload";

    /// <summary>A line of the log for an operator who must act, or will have to.</summary>
    public const string Alarm = "alarm";

    /// <summary>Any other line of the log above debug: among them that something works again.</summary>
    public const string Notice = "notice";

    /// <summary>One of the names above.</summary>
    public required string Type { get; init; }

    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Of a session: its id, as in the list of sessions; null also where its connection was gone before.</summary>
    public string? Session { get; init; }

    /// <summary>Of a session: where it came in.</summary>
    public string? Listener { get; init; }

    /// <summary>Of a session: whose secret was proved; null = nobody's.</summary>
    public string? User { get; init; }

    /// <summary>Of a session: abridged, intermediate, secure or fake_tls; null = it did not say.</summary>
    public string? Protocol { get; init; }

    /// <summary>Of a session: signed id of the data centre; null = it did not say.</summary>
    public int? Dc { get; init; }

    /// <summary>Of a session that has ended: the close reason (docs/metrics.md).</summary>
    public string? Reason { get; init; }

    /// <summary>Of a session that has ended: by whose doing.</summary>
    public string? Side { get; init; }

    /// <summary>Of a session that has ended: from accept on.</summary>
    public double? Seconds { get; init; }

    /// <summary>Of a session that has ended: bytes from the client.</summary>
    public long? ReceivedBytes { get; init; }

    /// <summary>Of a session that has ended: bytes to the client.</summary>
    public long? SentBytes { get; init; }

    /// <summary>Of a reload: applied, partial, refused or unchanged.</summary>
    public string? Result { get; init; }

    /// <summary>Of a line of the log: the name of its event.</summary>
    public string? Name { get; init; }

    /// <summary>Of a line of the log: information, warning, error or critical.</summary>
    public string? Level { get; init; }

    /// <summary>Of a line of the log: what it says.</summary>
    public string? Text { get; init; }
}
