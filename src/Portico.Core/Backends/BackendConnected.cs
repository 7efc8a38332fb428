using Portico.Core.Diagnostics;

namespace Portico.Core.Backends;

/// <summary>The outcome of step 5.</summary>
internal readonly record struct BackendConnected(IRelay? Relay, CloseReason Reason)
{
    /// <summary>Nobody is left to say goodbye to, or no time.</summary>
    public bool IsGone => Relay is null && Reason is CloseReason.ClientReset or CloseReason.Shutdown;

    public static BackendConnected Through(IRelay relay) => new(relay, default);

    public static BackendConnected Failed(CloseReason reason) => new(null, reason);
}
