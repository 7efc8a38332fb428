namespace Portico.Core.Net;

/// <summary>
/// Whom a channel tells. All calls come on the loop that owns the channel;
/// an exception ends that session only (docs/adr/0006).
/// </summary>
internal interface IChannelOwner
{
    /// <summary>
    /// The channel became readable or writable, or its peer is gone.
    /// Try first: the flags say what is worth trying, not what will succeed.
    /// </summary>
    void OnReady(Channel channel);

    /// <summary>The deadline set with <see cref="Channel.SetDeadline"/> has passed. It is armed no longer.</summary>
    void OnDeadline(Channel channel);

    /// <summary>
    /// The proxy is stopping and its patience is over: close with <c>shutdown</c>.
    /// Called for every channel; the first call may close them all.
    /// </summary>
    void OnShutdown(Channel channel);

    /// <summary>A callback of this owner threw. The owner closes what it holds with <c>internal_error</c>.</summary>
    void OnFault(Exception error);
}
