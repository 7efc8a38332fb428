namespace Portico.Core.Net;

/// <summary>A connection between two loops: of neither. Whoever has it attaches it to a loop, or discards it.</summary>
internal abstract class DetachedChannel
{
    /// <summary>On the loop that has it from now on. What was there to be read is raised again.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="owner">Whom the channel tells.</param>
    /// <returns>Null, with the connection closed, if the loop can watch no more of them.</returns>
    public abstract Channel? Attach(EventLoop loop, IChannelOwner owner);

    /// <summary>Closes the connection, if no loop has it. From any thread.</summary>
    /// <returns>False if one has.</returns>
    public abstract bool TryDiscard();
}
