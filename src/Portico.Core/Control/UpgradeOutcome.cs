namespace Portico.Core.Control;

/// <summary>What became of an upgrade.</summary>
/// <param name="Process">The number of the process that has taken over; null = none did.</param>
/// <param name="Problem">Why not, and what to do; null = one did.</param>
public sealed record UpgradeOutcome(int? Process, string? Problem);
