namespace Portico.Core.Backends.MiddleProxy;

/// <summary>
/// What became of a packet for a client. Its link acts on it: a client that called
/// back would meet the link in its loop over frames, of which one is in its hands.
/// </summary>
/// <param name="IsGone">The client's connection is; what the client had is to be ended.</param>
/// <param name="OwedBytes">So much of the packet waits for the client.</param>
internal readonly record struct Delivery(bool IsGone, long OwedBytes)
{
    /// <summary>The packet is in the kernel's hands, or for nobody.</summary>
    public static readonly Delivery Done;

    /// <summary>The client's connection is gone.</summary>
    public static readonly Delivery Gone = new(IsGone: true, OwedBytes: 0);
}
