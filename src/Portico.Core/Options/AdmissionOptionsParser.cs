namespace Portico.Core.Options;

/// <summary>
/// The sections <c>fakeTls</c>, <c>replay</c> and <c>limits</c>,
/// and <c>resetOnClose</c>: who is let in, and what becomes of the others.
/// </summary>
internal static class AdmissionOptionsParser
{
    private const int MostSaltLength = 256;

    public static TimeWindowSettings TimeWindow(TimeWindowOptions window) => new()
    {
        Enabled = window.Enabled,
        PastSeconds = window.PastSeconds,
        FutureSeconds = window.FutureSeconds,
        AcceptUnsetClock = window.AcceptUnsetClock,
    };

    public static ReplaySettings Replay(ReplayOptions replay) => new()
    {
        Enabled = replay.Enabled,
        MaxItems = replay.MaxItems,
        MaxBytes = (long)replay.MaxMemoryMb << 20,
        MaxDiskBytes = (long)replay.MaxDiskMb << 20,
        MaxAge = AgeOf(replay),
    };

    public static LimitSettings Limits(LimitOptions limits) => new()
    {
        UnauthenticatedPerAddress = limits.UnauthenticatedPerAddress,
        StrangersPerSecond = limits.StrangersPerSecond,
        StrangerBurst = limits.StrangerBurst,
    };

    public static PerSniSettings? PerSni(PerSniSecretOptions secrets) => secrets.Enabled ? PerSniSettings.Of(secrets.Salt) : null;

    public static ResetOnClose ResetOnClose(string text) => text switch
    {
        "handshake-error" => Options.ResetOnClose.HandshakeError,
        "always" => Options.ResetOnClose.Always,
        _ => Options.ResetOnClose.Off,
    };

    /// <summary>What is wrong or unwise, beyond the ranges of numbers.</summary>
    public static void Check(ProxyOptions options, List<ConfigurationError> errors, List<ConfigurationError> warnings)
    {
        var (window, replay, secrets) = (options.FakeTls.TimeWindow, options.Replay, options.FakeTls.PerSniSecrets);
        if (!window.Enabled)
            warnings.Add(new(
                "fakeTls.timeWindow.enabled",
                "off: a hello that somebody recorded opens the proxy again as soon as it is forgotten (replay.maxAgeDays)"));
        if (!window.Enabled && window.AcceptUnsetClock)
            warnings.Add(new(
                "fakeTls.timeWindow.acceptUnsetClock",
                "has no effect while the time window is off, since every time is accepted then"));
        if (!replay.Enabled)
            warnings.Add(new(
                "replay.enabled",
                "off: a hello that somebody recorded opens the proxy again while its time is within fakeTls.timeWindow"));
        else if (window.Enabled && AgeOf(replay).TotalSeconds < window.PastSeconds + window.FutureSeconds)
        {
            var days = (window.PastSeconds + window.FutureSeconds + 86399) / 86400;
            warnings.Add(new(
                replay.MaxAgeMinutes is null ? "replay.maxAgeDays" : "replay.maxAgeMinutes",
                "is shorter than fakeTls.timeWindow, so a recorded hello works again before it is too old; "
                    + $"for example \"maxAgeDays\": {days}"));
        }

        if (replay is { Enabled: true, MaxAgeMinutes: not null })
        {
            warnings.Add(new("replay.maxAgeMinutes",
                "is understood in this release only: "
                    + "the memory is limited by size now (replay.maxItems), and by replay.maxAgeDays; leave it away"));
        }

        if (secrets.Salt.Length is 0 or > MostSaltLength)
            errors.Add(new("fakeTls.perSniSecrets.salt", $"has {secrets.Salt.Length} characters where 1 to {MostSaltLength} "
                + "are needed; for example \"salt\": \"a text of your own\""));
        if (secrets.Enabled && secrets.Salt == PerSniSecretOptions.PublicSalt)
        {
            warnings.Add(new("fakeTls.perSniSecrets.salt", "is the public default, which everybody knows; a text of your own "
                + "gives secrets that nobody can derive from a base secret that leaks (links change with it)"));
        }
    }

    private static TimeSpan AgeOf(ReplayOptions replay) =>
        replay.MaxAgeMinutes is { } minutes ? TimeSpan.FromMinutes(minutes) : TimeSpan.FromDays(replay.MaxAgeDays);
}
