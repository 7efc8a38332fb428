using System.Collections.Immutable;

namespace Portico.Core.Control;

/// <summary>What a reload of the configuration did, as the host tells it.</summary>
/// <param name="Result">unchanged, applied, partial (some keys wait for a start) or refused (nothing was changed).</param>
/// <param name="Changes">The keys that differ; none if it was refused.</param>
/// <param name="Errors">Why it was refused, all of it.</param>
/// <param name="Warnings">What is unwise.</param>
public sealed record ReloadOutcome(
    string Result, ImmutableArray<ReloadChange> Changes, ImmutableArray<ReloadProblem> Errors, ImmutableArray<ReloadProblem> Warnings);

/// <summary>One key whose value differs.</summary>
/// <param name="Key">Where it is.</param>
/// <param name="TakesEffect">live, new sessions, restart or nothing.</param>
public sealed record ReloadChange(string Key, string TakesEffect);

/// <summary>Something about one key.</summary>
/// <param name="Key">Where it is.</param>
/// <param name="Problem">What is wrong, and what to do.</param>
public sealed record ReloadProblem(string Key, string Problem);

/// <summary>What became of the wish to ask Telegram for its configuration now.</summary>
/// <param name="Result">asked; recently (it was within a minute); not_used (no client goes through a middle proxy).</param>
/// <param name="MiddleProxies">What is known until the answer comes; null if not used.</param>
public sealed record TelegramRefresh(string Result, MiddleProxyStatus? MiddleProxies);
