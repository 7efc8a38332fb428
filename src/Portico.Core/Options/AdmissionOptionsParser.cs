namespace Portico.Core.Options;

/// <summary>The sections <c>fakeTls</c>, <c>replay</c> and <c>limits</c>, and <c>resetOnClose</c>: who is let in, and what becomes of the others.</summary>
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
        MaxAge = TimeSpan.FromMinutes(replay.MaxAgeMinutes),
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
        if (!window.Enabled) warnings.Add(new("fakeTls.timeWindow.enabled", "off: a hello that somebody recorded opens the proxy again as soon as it is forgotten (replay.maxAgeMinutes)"));
        if (!window.Enabled && window.AcceptUnsetClock) warnings.Add(new("fakeTls.timeWindow.acceptUnsetClock", "has no effect while the time window is off, since every time is accepted then"));
        if (!replay.Enabled) warnings.Add(new("replay.enabled", "off: a hello that somebody recorded opens the proxy again while its time is within fakeTls.timeWindow"));
        else if (window.Enabled && Seconds(replay) < window.PastSeconds + window.FutureSeconds)
        {
            var minutes = (window.PastSeconds + window.FutureSeconds + 59) / 60;
            warnings.Add(new("replay.maxAgeMinutes", $"{replay.MaxAgeMinutes} is shorter than fakeTls.timeWindow, so a recorded hello works again before it is too old; for example \"maxAgeMinutes\": {minutes}"));
        }

        if (secrets.Salt.Length is 0 or > MostSaltLength) errors.Add(new("fakeTls.perSniSecrets.salt", $"has {secrets.Salt.Length} characters where 1 to {MostSaltLength} are needed; for example \"salt\": \"a text of your own\""));
        if (secrets.Enabled && secrets.Salt == PerSniSecretOptions.PublicSalt)
        {
            warnings.Add(new("fakeTls.perSniSecrets.salt", "is the public default, which everybody knows; a text of your own gives secrets that nobody can derive from a base secret that leaks (links change with it)"));
        }
    }

    private static long Seconds(ReplayOptions replay) => 60L * replay.MaxAgeMinutes;
}
