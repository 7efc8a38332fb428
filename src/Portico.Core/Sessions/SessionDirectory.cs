using Portico.Core.Net;

namespace Portico.Core.Sessions;

/// <summary>Owner of a client's channel, in whatever phase its session is.</summary>
internal interface ISessionHolder
{
    /// <summary>The session; null = there is none just now.</summary>
    Session? Session { get; }
}

/// <summary>
/// The sessions of a loop, found through its channels: a session takes no memory for being found. On the loop.
/// </summary>
internal static class SessionDirectory
{
    /// <summary>All that are open, as a copy: ending one may end others.</summary>
    public static IEnumerable<Session> Of(EventLoop loop) => loop.Slots.Open().Select(SessionOf).OfType<Session>();

    /// <summary>The session whose client is at this channel; null = it is another kind of channel.</summary>
    public static Session? SessionOf(Channel channel) =>
        channel.Owner is ISessionHolder { Session: { } session } && session.Client == channel ? session : null;
}
