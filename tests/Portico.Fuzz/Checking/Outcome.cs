using Portico.Protocol;

namespace Portico.Fuzz.Checking;

/// <summary>What a parser said of some bytes.</summary>
/// <param name="Status">Its decision.</param>
/// <param name="Reason">Which kind of it: the error, or the variant that was read; may be empty.</param>
/// <param name="Consumed">Bytes it took, at most those there are.</param>
/// <param name="Result">Digest of everything it gave: equal bytes must give equal results.</param>
/// <param name="Shape">A few bits about the result that tell a search whether it is on new ground.</param>
internal readonly record struct Outcome(FrameStatus Status, string Reason = "", int Consumed = 0, ulong Result = 0, int Shape = 0)
{
    /// <summary>As targets list what they expect.</summary>
    public string Name => Reason.Length == 0 ? Status.ToString() : $"{Status} {Reason}";

    public static Outcome NeedMoreData { get; } = new(FrameStatus.NeedMoreData);

    /// <summary>A refusal, or that nothing is decided yet.</summary>
    public static Outcome Of<TReason>(FrameStatus status, TReason reason)
        where TReason : struct, Enum => status == FrameStatus.Invalid ? new(status, reason.ToString()) : new(status);
}
