namespace Portico.Core.Diagnostics;

/// <summary>Clients with a right secret that were refused because their time is not ours.</summary>
/// <param name="At">When that was counted up: at the first one, then once a minute while there are more.</param>
/// <param name="Clients">How many were refused since the report before.</param>
/// <param name="Seconds">By how much their clocks are ahead of ours, in the middle.</param>
public sealed record ClockReport(DateTimeOffset At, long Clients, long Seconds);
