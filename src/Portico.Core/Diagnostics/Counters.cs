namespace Portico.Core.Diagnostics;

/// <summary>
/// Running sums of one listener on one loop. Only the loop writes;
/// readers see each value whole, though not all at one instant.
/// </summary>
internal sealed class ListenerCounters(string name)
{
    public string Name => name;

    /// <summary>Bytes read from clients, handshake included.</summary>
    public long ClientReceived;

    /// <summary>Bytes written to clients, flight included.</summary>
    public long ClientSent;

    /// <summary>Connections that are open.</summary>
    public long Open;

    /// <summary>Of them, those that are relaying.</summary>
    public long Relaying;

    /// <summary>Of them, those that see the cover.</summary>
    public long Cover;

    /// <summary>Clients that had a way to Telegram.</summary>
    public long Clients;

    /// <summary>Connections that were refused as strangers.</summary>
    public long Strangers;

    /// <summary>Connections that may have been clients and ended before they relayed.</summary>
    public long EarlyEnds;
}

/// <summary>Running sums of one data centre on one loop.</summary>
internal sealed class DcCounters(int dc)
{
    /// <summary>Signed id as the client gave it.</summary>
    public int Dc => dc;

    public long Received;

    public long Sent;

    /// <summary>Links to its middle proxies that are ready.</summary>
    public long Connections;

    /// <summary>Clients on those.</summary>
    public long Clients;

    /// <summary>Connections to it of one client each: each takes a local port.</summary>
    public long Ports;
}
