using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>
/// The ways on which one session's frames may travel. Any of those offered is taken until one has carried a frame; from then on it is the
/// only one, so that no order is lost between two. On the session's loop.
/// </summary>
internal sealed class SessionCarriers
{
    private readonly WebSession _session;
    private readonly WebLimits _limits;
    private readonly Dictionary<uint, HttpsCarrier> _lanes = [];
    private readonly HashSet<uint> _gone = [];
    private readonly Queue<uint> _goneInOrder = new();
    private readonly Dictionary<uint, SocketCarrier> _sockets = [];
    private HttpsCarrier? _https;
    private SocketCarrier? _socket;
    private volatile int _used = -1;

    public SessionCarriers(WebSession session, WebLimits limits)
    {
        (_session, _limits) = (session, limits);
        session.HasRoomAgain = Resume;
    }

    // As many as both sides remember streams.
    private const int MostGone = 4096;

    /// <summary>Whether a lane is over, and its app was told: late frames of it are acknowledged and dropped.</summary>
    public bool IsGone(uint? lane) => lane is { } id && _gone.Contains(id);

    /// <summary>The one that has carried frames; null = none has.</summary>
    public WebCarrier? Used => _used < 0 ? null : (WebCarrier)_used;

    /// <summary>The one for requests.</summary>
    /// <param name="lane">Of a stream, or 0 for what belongs to none; null = there are no lanes.</param>
    /// <returns>Null if frames have travelled otherwise, or there are too many lanes.</returns>
    public HttpsCarrier? Https(uint? lane)
    {
        if (!MayUse(lane is null ? WebCarrier.Https : WebCarrier.HttpsLanes)) return null;
        if (lane is not { } only) return _https ??= new HttpsCarrier(_session, null, _limits);
        if (_lanes.TryGetValue(only, out var known)) return known;
        DropClosedLanes();
        // One for each stream, as many that are about to be opened, and the one for none.
        if (_lanes.Count > 2 * _limits.StreamsPerSession) return null;
        var added = new HttpsCarrier(_session, only, _limits);
        _lanes.Add(only, added);
        return added;
    }

    /// <summary>One for a new WebSocket.</summary>
    /// <param name="lane">The stream that it is for alone; null = all.</param>
    /// <returns>Null if frames have travelled otherwise, or there is a socket for that already.</returns>
    public SocketCarrier? OpenSocket(uint? lane)
    {
        if (!MayUse(lane is null ? WebCarrier.WebSocket : WebCarrier.WebSocketLanes)) return null;
        if (lane is { } only)
        {
            if (_sockets.ContainsKey(only) || _sockets.Count > 2 * _limits.StreamsPerSession)
                return null;
            var added = new SocketCarrier(_session, only, () => MayUse(WebCarrier.WebSocketLanes));
            _sockets.Add(only, added);
            _session.Attached++;
            return added;
        }

        if (_socket is not null) return null;
        _session.Attached++;
        return _socket = new SocketCarrier(_session, null, () => MayUse(WebCarrier.WebSocket));
    }

    /// <summary>A WebSocket is gone. If it has carried frames, so are the streams that it carried.</summary>
    public void CloseSocket(SocketCarrier socket, uint? lane)
    {
        if (_session.Ended is not null) return;
        socket.End();
        _session.Attached--;
        _session.Touch();
        if (lane is { } only)
        {
            _sockets.Remove(only);
            if (socket.IsUsed) _session.Abandon(only);
            return;
        }

        _socket = null;
        if (socket.IsUsed) _session.End(WebEnd.CarrierLost);
    }

    /// <summary>The app is to hear that the session ends. One way is enough.</summary>
    public void SayBye()
    {
        var none = _lanes.GetValueOrDefault(0u)?.Lane;
        var lane = Used switch
        {
            WebCarrier.Https => _https?.Lane,
            WebCarrier.WebSocket => _socket?.Lane,
            WebCarrier.HttpsLanes => none,
            // There is no socket for what belongs to no stream: it ends with the others.
            WebCarrier.WebSocketLanes => null,
            _ => _socket?.Lane ?? _https?.Lane ?? none,
        };
        lane?.AddBye();
    }

    /// <summary>The session is over: whoever waits is told.</summary>
    public void End()
    {
        _https?.End();
        _socket?.End();
        foreach (var lane in _lanes.Values) lane.End();
        foreach (var socket in _sockets.Values) socket.End();
    }

    /// <summary>A frame may have travelled.</summary>
    public void NoteUse()
    {
        if (_used < 0) _used = Find();
    }

    private bool MayUse(WebCarrier carrier)
    {
        NoteUse();
        return _used < 0 || _used == (int)carrier;
    }

    private int Find()
    {
        if (_https is { IsUsed: true }) return (int)WebCarrier.Https;
        if (_socket is { IsUsed: true }) return (int)WebCarrier.WebSocket;
        foreach (var lane in _lanes.Values)
        {
            if (lane.IsUsed) return (int)WebCarrier.HttpsLanes;
        }

        foreach (var socket in _sockets.Values)
        {
            if (socket.IsUsed) return (int)WebCarrier.WebSocketLanes;
        }

        return -1;
    }

    private void Resume()
    {
        _https?.Resume();
        _socket?.Resume();
        foreach (var lane in _lanes.Values) lane.Resume();
        foreach (var socket in _sockets.Values) socket.Resume();
    }

    // Of those whose end the app has been told nothing is kept but the number: it asks for them once more only if it did not hear that.
    private void DropClosedLanes()
    {
        if (_lanes.Count <= _limits.StreamsPerSession) return;
        foreach (var (id, lane) in _lanes.ToArray())
        {
            if (!lane.HasSaidClosed) continue;
            lane.End();
            _lanes.Remove(id);
            _gone.Add(id);
            _goneInOrder.Enqueue(id);
            if (_goneInOrder.Count > MostGone) _gone.Remove(_goneInOrder.Dequeue());
        }
    }
}
