using Portico.Core.Diagnostics;

namespace Portico.Core.Admission.Replay;

/// <summary>
/// The process that has taken over: it alone remembers what was seen, or a hello could be used once here and once there. Asked on a loop
/// of the old process, of the few connections that were under way, so it may take a fraction of a millisecond.
/// </summary>
internal interface IReplaySuccessor
{
    /// <summary>As <see cref="ReplayMemory.TryEnterHello"/> there. Nobody may enter whom it cannot be asked about.</summary>
    bool TryEnterHello(ReadOnlySpan<byte> beginning, uint timestamp, out CloseReason refusal);

    /// <summary>As <see cref="ReplayMemory.TryEnterHeader"/> there.</summary>
    bool TryEnterHeader(ReadOnlySpan<byte> beginning, out CloseReason refusal);
}
