namespace Portico.Core.Net;

/// <summary>Who receives the connections of a listening socket.</summary>
internal interface IAcceptor
{
    /// <summary>
    /// A client connected. Called on the loop that accepted it, which owns the channel;
    /// the acceptor must set the channel's owner or close it.
    /// </summary>
    void OnAccepted(Channel channel);

    /// <summary>
    /// Accepting failed for want of a resource, or soon would;
    /// the engine pauses and tries again by itself. Called once per pause.
    /// </summary>
    void OnAcceptPaused(string error);
}
