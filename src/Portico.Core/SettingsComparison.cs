using Portico.Core.Options;

namespace Portico.Core;

/// <summary>What of one state of the settings may stay for the next, because what it was made of is the same.</summary>
internal static class SettingsComparison
{
    /// <summary>A listener tells callers apart as before: its judge may stay, which knows whose secrets were right lately.</summary>
    public static bool JudgesAlike(ProxySettings before, int oldIndex, ProxySettings after, int index)
    {
        var (old, now) = (before.Listeners[oldIndex], after.Listeners[index]);
        return before.TimeWindow == after.TimeWindow && SaltsAlike(before.PerSni, after.PerSni)
            && old.Protocols == now.Protocols && old.Domain == now.Domain && old.Credentials.Length == now.Credentials.Length
            && old.Credentials.Zip(now.Credentials).All(pair => pair.First.JudgesLike(pair.Second));
    }

    private static bool SaltsAlike(PerSniSettings? one, PerSniSettings? other) =>
        one is null || other is null ? one is null && other is null : one.Salt.Span.SequenceEqual(other.Salt.Span);

    /// <summary>Strangers see the same. The number of places is the budget's.</summary>
    public static bool CoversAlike(ProxySettings one, ProxySettings other) =>
        one.Cover == other.Cover with { MaxConnections = one.Cover.MaxConnections }
        && one.LocalAddresses.SequenceEqual(other.LocalAddresses);

    /// <summary>The same is asked of the same covers.</summary>
    public static bool LearnsTheSame(ProxySettings before, ProxySettings after) =>
        Learned(before.Cover) == Learned(after.Cover) && before.Listeners.Select(Named).SequenceEqual(after.Listeners.Select(Named));

    private static (CoverMode, CoverTarget?, TimeSpan, TimeSpan, int, bool) Learned(CoverSettings cover) =>
        (cover.Mode, cover.Target, cover.Learn, cover.ConnectTimeout, cover.ProxyProtocol, cover.AllowPrivateTargets);

    private static (string?, bool) Named(ListenerSettings listener) =>
        (listener.Domain, listener.Protocols.HasFlag(ClientProtocols.FakeTls));
}
