namespace Portico.Core.Web;

/// <summary>
/// Long messages of one session's WebSockets of which not all is here: each lane may begin one, and their memory is counted nowhere else.
/// Whoever gets no place is read no further until another has finished, in the order of asking. On the session's loop.
/// </summary>
/// <param name="session">Whose.</param>
internal sealed class MessagePlaces(WebSession session)
{
    /// <summary>As many as requests with frames.</summary>
    public const int Most = WebEntry.MostBodies;

    private readonly Queue<SocketCarrier> _waiting = new();
    private int _taken;

    /// <summary>Asks for one. Who was refused is given one later, and told that there may be room.</summary>
    public bool TryTake(SocketCarrier socket)
    {
        if (socket.Place == MessagePlace.None)
        {
            socket.Place = MessagePlace.Wanted;
            _waiting.Enqueue(socket);
            Give();
        }

        return socket.Place == MessagePlace.Taken;
    }

    /// <summary>The message is whole, or will never be.</summary>
    public void Leave(SocketCarrier socket)
    {
        if (socket.Place == MessagePlace.Taken) _taken--;
        socket.Place = MessagePlace.None;
        if (session.Ended is null) Give();
    }

    // While memory is tight one at a time, so that somebody goes on: nobody could be told when there is more.
    private void Give()
    {
        while (_taken < (session.Loop.Memory.IsTight ? 1 : Most) && _waiting.TryDequeue(out var next))
        {
            // It was closed meanwhile.
            if (next.Place != MessagePlace.Wanted) continue;
            next.Place = MessagePlace.Taken;
            _taken++;
            next.Resume();
        }
    }
}

/// <summary>What a socket has of <see cref="MessagePlaces"/>.</summary>
internal enum MessagePlace : byte
{
    /// <summary>Nothing: what it receives is whole, or short.</summary>
    None,

    /// <summary>It waits for one.</summary>
    Wanted,

    /// <summary>The rest of a message may come.</summary>
    Taken,
}
