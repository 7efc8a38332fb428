namespace Portico.Core.Options;

/// <summary>Section <c>cover</c>.</summary>
public sealed class CoverOptions
{
    /// <summary>Off, because a site cannot be guessed: a first start with <c>--domain</c> writes a fixed one.</summary>
    [Option("What strangers see. fixed: the site at target, with its own certificate. "
            + "sni: the site that their hello names, at port 443. off: a closed connection, which tells a prober that no site is here.",
        OneOf = ["off", "sni", "fixed"], TakesEffect = TakesEffect.NewSessions)]
    public string Mode { get; set; } = "off";

    /// <summary>Target; without one there is no fixed cover.</summary>
    [Option("Where the site is that strangers see, for the mode fixed: \"host:port\", \"[v6]:port\" or \"unix:/path\". "
            + "It gets everything that is not ours, from the first byte.",
        Example = "\"127.0.0.1:443\"", TakesEffect = TakesEffect.NewSessions)]
    public string? Target { get; set; }

    /// <summary>The cover, because only the real server answers malformed hellos as it answers everything else.</summary>
    [Option("What a hello gets that no TLS server could decode, or that names no host: "
            + "the cover, or the alert that it gets without a cover.",
        OneOf = ["cover", "alert"], TakesEffect = TakesEffect.NewSessions)]
    public string MalformedHello { get; set; } = "cover";

    /// <summary>The cover: a close for some names where the site answers all others would tell which ones are known here.</summary>
    [Option("What a client gets that knows a secret and is refused by a rule or a limit: "
            + "the cover like every stranger, or a closed connection.",
        OneOf = ["cover", "close"], TakesEffect = TakesEffect.NewSessions)]
    public string PolicyRefused { get; set; } = "cover";

    /// <summary>
    /// A client's hello follows its side of the TCP handshake at once, and one
    /// in pieces is still judged piece by piece: the cover waits for the rest of it too.
    /// What the cover shows of its own clock (how long it bears silence) is late by this much, so it is short.
    /// </summary>
    [Option("Milliseconds from accepting a connection until somebody who may still become a client of ours "
            + "is connected to the cover; each of its later bytes is still judged before it is passed on.",
        Minimum = 10, Maximum = 60000, TakesEffect = TakesEffect.NewSessions)]
    public int DecideMs { get; set; } = 50;

    /// <summary>As many as a busy site has visitors at a time; each costs two descriptors.</summary>
    [Option("Strangers that are connected to the cover at a time, as far as the descriptors reach: they get what the listeners' "
            + "limits leave, and at least an eighth. When all places are taken, the one that was silent longest is closed.",
        Minimum = 1, Maximum = 1000000, TakesEffect = TakesEffect.Live)]
    public int MaxConnections { get; set; } = 4096;

    /// <summary>Six hours: certificates change every few weeks, and a changed size shows for no longer.</summary>
    [Option("Seconds between two measurements of the cover's own TLS answer, give or take a tenth, which ours copies.",
        Minimum = 60, Maximum = 2592000, TakesEffect = TakesEffect.NewSessions)]
    public int LearnSeconds { get; set; } = 21600;

    /// <summary>Ten, like the connection to a data centre.</summary>
    [Option("Seconds that connecting to the cover may take, over all of its addresses. Then the stranger is closed without a byte.",
        Minimum = 1, Maximum = 120, TakesEffect = TakesEffect.NewSessions)]
    public int ConnectTimeoutSeconds { get; set; } = 10;

    /// <summary>None, because a site that does not expect it would take it for a bad request.</summary>
    [Option("Tell the cover who the stranger is, in front of its bytes: "
            + "version 1 or 2 of the PROXY protocol. 0 = no. The site must expect it.",
        Minimum = 0, Maximum = 2)]
    public int ProxyProtocol { get; set; }

    /// <summary>No: whoever can name a site could reach what only this machine may reach.</summary>
    [Option("Mode sni: connect also where a name leads to an address that is not public (private, "
            + "loopback, link-local). Strangers choose the name.", TakesEffect = TakesEffect.NewSessions)]
    public bool AllowPrivateTargets { get; set; }
}
