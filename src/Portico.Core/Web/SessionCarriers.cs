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
    private LaneCarriers? _lanes;
    private MessagePlaces? _places;
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

    /// <summary>Those of streams. An app without lanes, of which there may be ten thousand, has none of this.</summary>
    private sealed class LaneCarriers
    {
        public Dictionary<uint, HttpsCarrier> Https { get; } = [];

        public Dictionary<uint, SocketCarrier> Sockets { get; } = [];

        public HashSet<uint> Gone { get; } = [];

        public Queue<uint> GoneInOrder { get; } = new();
    }

    private LaneCarriers Lanes => _lanes ??= new LaneCarriers();

    /// <summary>Of sockets whose messages come in parts.</summary>
    public MessagePlaces Places => _places ??= new MessagePlaces(_session);

    /// <summary>Bounds.</summary>
    public WebLimits Limits => _limits;

    /// <summary>Whether a lane is over, and its app was told: late frames of it are acknowledged and dropped.</summary>
    public bool IsGone(uint? lane) => lane is { } id && _lanes?.Gone.Contains(id) == true;

    /// <summary>The one that has carried frames; null = none has.</summary>
    public WebCarrier? Used => _used < 0 ? null : (WebCarrier)_used;

    /// <summary>Whether frames may travel that way, or have.</summary>
    public bool MayUse(WebCarrier carrier)
    {
        NoteUse();
        return _used < 0 || _used == (int)carrier;
    }

    /// <summary>The one for requests.</summary>
    /// <param name="lane">Of a stream, or 0 for what belongs to none; null = there are no lanes.</param>
    /// <returns>Null if frames have travelled otherwise, or there are too many lanes.</returns>
    public HttpsCarrier? Https(uint? lane)
    {
        if (!MayUse(lane is null ? WebCarrier.Https : WebCarrier.HttpsLanes)) return null;
        if (lane is not { } only) return _https ??= new HttpsCarrier(_session, null, _limits);
        if (Lanes.Https.TryGetValue(only, out var known)) return known;
        DropClosed(Lanes);
        // One for each stream, as many that are about to be opened, and the one for none.
        if (Lanes.Https.Count > 2 * _limits.StreamsPerSession) return null;
        var added = new HttpsCarrier(_session, only, _limits);
        Lanes.Https.Add(only, added);
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
            if (Lanes.Sockets.ContainsKey(only) || Lanes.Sockets.Count > 2 * _limits.StreamsPerSession)
                return null;
            var added = new SocketCarrier(_session, this, only);
            Lanes.Sockets.Add(only, added);
            _session.Attached++;
            return added;
        }

        if (_socket is not null) return null;
        _session.Attached++;
        return _socket = new SocketCarrier(_session, this, null);
    }

    /// <summary>A WebSocket is gone. If it has carried frames, so are the streams that it carried.</summary>
    public void CloseSocket(SocketCarrier socket)
    {
        if (_session.Ended is not null) return;
        socket.End();
        _session.Attached--;
        _session.Touch();
        if (socket.Only is { } only)
        {
            Lanes.Sockets.Remove(only);
            if (socket.IsUsed) _session.Abandon(only);
            return;
        }

        _socket = null;
        if (socket.IsUsed) _session.End(WebEnd.CarrierLost);
    }

    /// <summary>The app is to hear that the session ends. One way is enough.</summary>
    public void SayBye()
    {
        var none = _lanes?.Https.GetValueOrDefault(0u)?.Lane;
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
        if (_lanes is not { } lanes) return;
        foreach (var lane in lanes.Https.Values) lane.End();
        foreach (var socket in lanes.Sockets.Values) socket.End();
    }

    /// <summary>A frame may have travelled.</summary>
    public void NoteUse()
    {
        if (_used < 0) _used = Find();
    }

    private int Find()
    {
        if (_https is { IsUsed: true }) return (int)WebCarrier.Https;
        if (_socket is { IsUsed: true }) return (int)WebCarrier.WebSocket;
        if (_lanes is not { } lanes) return -1;
        foreach (var lane in lanes.Https.Values)
        {
            if (lane.IsUsed) return (int)WebCarrier.HttpsLanes;
        }

        foreach (var socket in lanes.Sockets.Values)
        {
            if (socket.IsUsed) return (int)WebCarrier.WebSocketLanes;
        }

        return -1;
    }

    private void Resume()
    {
        _https?.Resume();
        _socket?.Resume();
        if (_lanes is not { } lanes) return;
        foreach (var lane in lanes.Https.Values) lane.Resume();
        foreach (var socket in lanes.Sockets.Values) socket.Resume();
    }

    // Of those whose end the app has been told nothing is kept but the number: it asks for them once more only if it did not hear that.
    private void DropClosed(LaneCarriers lanes)
    {
        if (lanes.Https.Count <= _limits.StreamsPerSession) return;
        foreach (var (id, lane) in lanes.Https.ToArray())
        {
            if (!lane.HasSaidClosed) continue;
            lane.End();
            lanes.Https.Remove(id);
            lanes.Gone.Add(id);
            lanes.GoneInOrder.Enqueue(id);
            if (lanes.GoneInOrder.Count > MostGone) lanes.Gone.Remove(lanes.GoneInOrder.Dequeue());
        }
    }
}
