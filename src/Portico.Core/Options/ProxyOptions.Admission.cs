namespace Portico.Core.Options;

/// <summary>Section <c>fakeTls</c>.</summary>
public sealed class FakeTlsOptions
{
    /// <summary>Time window.</summary>
    [Option("When a client's hello must have been signed to be accepted.")]
    public TimeWindowOptions TimeWindow { get; set; } = new();

    /// <summary>Per-SNI secrets.</summary>
    [Option("A secret of its own for each domain of fake-TLS links, derived from the listener's.")]
    public PerSniSecretOptions PerSniSecrets { get; set; } = new();

    /// <summary>Full; most servers do so, and fewer records cost less.</summary>
    [Option("Length of the records to clients. full: as long as there is something to send, "
            + "up to 8209 bytes (8192 encrypted), as servers with buffers of that size do (nginx: ssl_buffer_size 8k). "
            + "ramp: 40 of 1386 bytes, 40 of 4246, then 8209, and from the beginning after a pause of a second or two, "
            + "as nginx does with dynamic records. Take what your cover does; neither holds anything back.",
        OneOf = ["full", "ramp"], TakesEffect = TakesEffect.NewSessions)]
    public string RecordSizes { get; set; } = "full";
}

/// <summary>Section <c>fakeTls.timeWindow</c>.</summary>
public sealed class TimeWindowOptions
{
    /// <summary>On: otherwise a hello that somebody recorded opens the door for ever.</summary>
    [Option("Refuse hellos that were signed too long ago or in the future. "
            + "Off, a recorded hello works again as soon as it is forgotten (replay.maxAgeDays).", TakesEffect = TakesEffect.NewSessions)]
    public bool Enabled { get; set; } = true;

    /// <summary>Ten minutes: clocks of phones are rarely further behind.</summary>
    [Option("Seconds that a hello may be old.", Minimum = 0, Maximum = 604800, TakesEffect = TakesEffect.NewSessions)]
    public int PastSeconds { get; set; } = 600;

    /// <summary>Two minutes: a clock that is ahead is set by hand, and rarely by much.</summary>
    [Option("Seconds that a client's clock may be ahead of ours.", Minimum = 0, Maximum = 604800, TakesEffect = TakesEffect.NewSessions)]
    public int FutureSeconds { get; set; } = 120;

    /// <summary>Off: no window limits how long such a hello can be repeated, only a memory of a fixed size (spec/02 section 4).</summary>
    [Option("Accept clients whose clock is not set, which send the time since they were switched on. "
            + "Such a hello is remembered for ever, 65536 of them; after that the next ones are refused.",
        TakesEffect = TakesEffect.NewSessions)]
    public bool AcceptUnsetClock { get; set; }
}

/// <summary>Section <c>fakeTls.perSniSecrets</c>.</summary>
public sealed class PerSniSecretOptions
{
    /// <summary>The salt that stands in everybody's documentation.</summary>
    public const string PublicSalt = "mtproto-proxy-per-sni-v1";

    /// <summary>Off: every link of a listener holds the same secret, and works with any domain.</summary>
    [Option("Each domain has a secret of its own, so that who knows the link of one domain can make none for another. "
            + "Links with the listener's own secret stop working in fake TLS; `portico link --domain NAME` prints the new ones.",
        TakesEffect = TakesEffect.NewSessions)]
    public bool Enabled { get; set; }

    /// <summary>The one of the Erlang proxy, so that links made there go on working.</summary>
    [Option("What is mixed into the derived secrets; a text of your own, which must not change while links are in use.",
        Example = $"\"{PublicSalt}\"", TakesEffect = TakesEffect.NewSessions)]
    public string Salt { get; set; } = PublicSalt;
}

/// <summary>Section <c>replay</c>.</summary>
public sealed class ReplayOptions
{
    /// <summary>On: who repeats what a client has sent would otherwise get a proxy's answer.</summary>
    [Option("Remember what clients began with, and treat whoever repeats it as a stranger.")]
    public bool Enabled { get; set; } = true;

    /// <summary>Four million: 60 MB, and at 170 000 connections a day more than three weeks.</summary>
    [Option("Beginnings that are remembered, over restarts and kills. When there are more, the oldest are forgotten.",
        Minimum = 1000, Maximum = 100000000)]
    public int MaxItems { get; set; } = 4000000;

    /// <summary>512: far more than maxItems need (docs/performance.md), so that only a larger maxItems comes near it.</summary>
    [Option("Memory that they may take, in MiB. When it is used up, the oldest are forgotten.", Minimum = 1, Maximum = 65536)]
    public int MaxMemoryMb { get; set; } = 512;

    /// <summary>2048: likewise.</summary>
    [Option("What their files in the data directory may take, in MiB. When it is used up, the oldest are not known after a restart.",
        Minimum = 4, Maximum = 1048576)]
    public int MaxDiskMb { get; set; } = 2048;

    /// <summary>A month: whoever records hellos to try them later gets bored.</summary>
    [Option("Days for which they are remembered if there is room.", Minimum = 1, Maximum = 3650)]
    public int MaxAgeDays { get; set; } = 30;

    /// <summary>The former limit, in minutes.</summary>
    [Option("Former name of the limit of age, in minutes; instead of maxAgeDays if it is there. The next release does not know it.",
        Minimum = 1, Maximum = 43200, Example = "360")]
    public int? MaxAgeMinutes { get; set; }

    /// <summary>
    /// First: Telegram answers a repeated first message with this error, and a prober who
    /// repeats one learns from it that a Telegram server is behind us (spec/05 section 3.10).
    /// </summary>
    [Option("Middle mode: keep Telegram's error -404, the answer to a message sent before, from the client. "
            + "first = only if it is the first packet; on = always; off = never. In direct mode packets are not looked at.",
        OneOf = ["first", "on", "off"], TakesEffect = TakesEffect.Live)]
    public string ServerErrorFilter { get; set; } = "first";
}

/// <summary>Section <c>limits</c>.</summary>
public sealed class LimitOptions
{
    /// <summary>
    /// A quarter of the strangers that a cover may have: many homes behind one address
    /// come nowhere near it, since a client needs a second to show its secret.
    /// </summary>
    [Option("Connections from one address (IPv6: one /64) that have shown no secret. One more ends the oldest of them. "
            + "0 = no limit, for a proxy behind a forwarder that hides its clients' addresses (one that tells them: "
            + "listeners[].proxyProtocol); this machine's own are never counted.",
        Minimum = 0, Maximum = 1000000, TakesEffect = TakesEffect.Live)]
    public int UnauthenticatedPerAddress { get; set; } = 1024;

    /// <summary>16: a few browsers that mistake the proxy for a site come nowhere near it, and so many cost next to nothing.</summary>
    [Option("Callers from one address (IPv6: one /64) a second that may be tried with all secrets in vain. More than these see "
            + "what every stranger sees, without a trial; clients with a secret never count, and where one was let in during "
            + "the last ten minutes, secrets that were right there are tried all the same. "
            + "0 = no limit, for a proxy behind a forwarder that hides its clients' addresses; this machine's own are never counted.",
        Minimum = 0, Maximum = 100000, TakesEffect = TakesEffect.Live)]
    public int StrangersPerSecond { get; set; } = 16;

    /// <summary>64: eight apps with an old secret that connect at the same time, as they do after a restart.</summary>
    [Option("How many of them may come at once, after a time without any. Each loop has its share, but 24 at least.",
        Minimum = 24, Maximum = 100000, TakesEffect = TakesEffect.Live)]
    public int StrangerBurst { get; set; } = 64;
}
