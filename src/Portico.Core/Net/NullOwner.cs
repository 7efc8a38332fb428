using System.Diagnostics;

namespace Portico.Core.Net;

/// <summary>
/// The owner of a channel between its making and its first real owner.
/// Hearing of an event would mean that the event was lost.
/// </summary>
internal sealed class NullOwner : IChannelOwner
{
    public static readonly NullOwner Instance = new();

    public void OnReady(Channel channel) => throw new UnreachableException("event before the channel had an owner");

    public void OnDeadline(Channel channel) => throw new UnreachableException("deadline before the channel had an owner");

    public void OnShutdown(Channel channel) => channel.Close();

    public void OnFault(Exception error) => throw new LoopFailure(error.Message);
}
