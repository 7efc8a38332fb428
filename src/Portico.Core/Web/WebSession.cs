using System.Buffers;
using System.Net;
using Portico.Core.Diagnostics;
using Portico.Core.Net;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>
/// One app's session: its streams, each of which the session engine serves as a client of its own, and what waits for them in both
/// directions. Carriers bring batches and take batches. Lives on one loop, whose thread alone may touch it.
/// </summary>
internal sealed class WebSession : ILoopTask
{
    /// <summary>Bytes of the app's that may wait for data centres. Over it carriers are held, and nothing is lost.</summary>
    public const int MostUnread = 8 * 1024 * 1024;

    // Over it only streams with nothing waiting are read for. So much may be kept for repetition besides, and more counts as waiting.
    private const int MostWaiting = 2 * 1024 * 1024;

    // Each stream may have so many bytes waiting whatever the others have.
    private const int LeastWaiting = 16 * 1024;

    // An app that asks for nothing must not fill the queues by opening and closing.
    private const int MostItems = 16_384;

    private const int CreditMs = 1000, TidyMs = 15_000;

    [ThreadStatic]
    private static RelayBatch? _batch;

    private readonly IAcceptor _engine;
    private readonly WebBounds _bounds;
    private readonly Action<Exception?> _onEnd;
    private readonly Dictionary<uint, WebStream> _streams = [];
    private readonly List<WebLane> _woken = [];
    private readonly List<WebStream> _due = [];
    private long _creditMs = long.MaxValue;
    private long _seenMs;
    private bool _isQueued;
    private bool _isTelling;
    private bool _hasRoomAgain;
    private long _received;
    private long _sent;
    private long _opened;

    /// <param name="loop">Where it lives.</param>
    /// <param name="engine">Serves its streams.</param>
    /// <param name="user">Whose it is.</param>
    /// <param name="client">The app's address when the session was created.</param>
    /// <param name="bounds">Of the listener's sessions.</param>
    /// <param name="onEnd">Hears that it is over, and of the exception if it was one of ours.</param>
    public WebSession(EventLoop loop, IAcceptor engine, WebUser user, IPEndPoint client, WebBounds bounds, Action<Exception?> onEnd)
    {
        (Loop, _engine, User, Client, _bounds, _onEnd) = (loop, engine, user, client, bounds, onEnd);
        Rules = new RelayStreams(bounds.Limits.StreamsPerSession);
    }

    public EventLoop Loop { get; }

    /// <summary>Whose it is.</summary>
    public WebUser User { get; }

    /// <summary>The app's address when the session was created.</summary>
    public IPEndPoint Client { get; }

    /// <summary>Told of what happens to it.</summary>
    public WebReport Report => _bounds.Report;

    /// <summary>Which streams there are, and what may be sent on them.</summary>
    public RelayStreams Rules { get; }

    /// <summary>Why it is over; null = it is not.</summary>
    public WebEnd? Ended { get; private set; }

    /// <summary>Bytes of the app's that no data centre has taken.</summary>
    public int Unread { get; private set; }

    /// <summary>Bytes for the app, of all streams.</summary>
    public int Waiting { get; private set; }

    /// <summary>Bytes that were given to the app and are kept until it acknowledges them, of all lanes.</summary>
    public int Kept { get; set; }

    /// <summary>Bytes of streams that came from the app, and that went to it. Written by the loop; read by whoever counts.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <inheritdoc cref="Received"/>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Streams that were opened so far. Written by the loop; read by whoever counts.</summary>
    public long Opened => Volatile.Read(ref _opened);

    /// <summary>When bytes of a stream came or went last, on the loop's clock.</summary>
    public long LastByteMs { get; private set; }

    /// <summary>Requests for frames that wait.</summary>
    public int Parked { get; set; }

    /// <summary>Streams that are open for the session engine or the app.</summary>
    public int Streams => _streams.Count;

    /// <summary>Called, in a turn of its own, when bytes were read: carriers that were held may go on.</summary>
    public Action? HasRoomAgain { get; set; }

    /// <summary>Carriers that keep the session alive without asking anything: sockets, parked requests.</summary>
    public int Attached { get; set; }

    /// <summary>Looks after the session from now on.</summary>
    public void Begin()
    {
        _seenMs = LastByteMs = Loop.NowMs;
        Loop.EnqueueAt(Loop.NowMs + TidyMs, new Tidying(this));
    }

    /// <summary>A request of its carrier came.</summary>
    public void Touch() => _seenMs = Loop.NowMs;

    /// <summary>Whether a batch may be applied now.</summary>
    /// <param name="data">Bytes of DATA in it: whatever else it says only makes room.</param>
    public bool HasRoomFor(long data) =>
        data == 0 || Unread == 0 || (Unread + data <= MostUnread && !Loop.Memory.IsTight);

    /// <summary>Applies a batch of the app's, whole or not at all.</summary>
    /// <param name="batch">As it came.</param>
    /// <param name="only">The stream that this way is for alone; 0 = for what belongs to none; null = for all.</param>
    /// <param name="lane">By which what its new streams have goes back.</param>
    /// <param name="error">What is wrong with it.</param>
    public bool TryAccept(in ReadOnlySequence<byte> batch, uint? only, WebLane lane, out WebProxyError error)
    {
        var result = _batch ??= new RelayBatch();
        error = WebProxyError.TooManyFrames;
        if (lane.Items > MostItems)
        {
            End(WebEnd.Limit);
            return false;
        }

        if (!Rules.TryAccept(batch, only, result, out error)) return false;
        // A stream may end the session or bring in another batch only from a turn of its own: nothing here is called back before that.
        foreach (var happened in result.Events) Apply(happened, lane);
        result.Clear();
        TellAll();
        return true;
    }

    /// <summary>For streams: bytes that may be added to what waits of it.</summary>
    public int RoomFor(WebStream stream)
    {
        var room = MostWaiting - Waiting - Math.Max(0, Kept - MostWaiting);
        return Math.Max(Math.Min(WebStream.MostWaiting - stream.Waiting, room), LeastWaiting - stream.Waiting);
    }

    /// <summary>For streams: bytes were added.</summary>
    public void WasWritten(int count) => Waiting += count;

    /// <summary>For streams: so much that waited was dropped.</summary>
    public void WasDropped(int unread, int waiting)
    {
        Waiting -= waiting;
        NoteRead(unread);
    }

    /// <summary>For streams: bytes of the app's left towards Telegram.</summary>
    public void WasRead(WebStream stream, int count)
    {
        if (!stream.IsOver) Owe(stream, count);
        NoteRead(count);
    }

    /// <summary>For lanes: bytes go to the app.</summary>
    public void Take(WebStream stream, Span<byte> target)
    {
        Waiting -= target.Length;
        Passed(target.Length);
        if (stream.Take(target)) TellLater(stream);
    }

    /// <summary>For lanes: bytes went to the app that did not wait.</summary>
    public void Passed(int count)
    {
        Volatile.Write(ref _sent, _sent + count);
        LastByteMs = Loop.NowMs;
    }

    /// <summary>For lanes: the app has CLOSE, so to speak.</summary>
    public void SentClose(WebStream stream)
    {
        Rules.Close(stream.Id);
        Remove(stream);
    }

    /// <summary>Whether a stream is open for either side.</summary>
    public bool HasStream(uint id) => _streams.ContainsKey(id);

    /// <summary>What carried one stream alone is gone, and it with it.</summary>
    public void Abandon(uint id)
    {
        if (!_streams.TryGetValue(id, out var stream)) return;
        Rules.Close(id);
        Remove(stream);
    }

    /// <summary>For lanes: wakes one in the next turn.</summary>
    public void Schedule(WebLane lane)
    {
        _woken.Add(lane);
        Queue();
    }

    /// <summary>
    /// It ends when its streams have been silent for a moment, or at a time; the app is told with BYE, and comes again elsewhere.
    /// </summary>
    /// <param name="sayBye">Tells it, by whatever carrier there is.</param>
    /// <param name="latestMs">On the loop's clock.</param>
    public void Drain(Action sayBye, long latestMs) =>
        new WebDrain(this, sayBye, latestMs).Run();

    /// <summary>The session is over: its streams are clients that went away.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="fault">An exception of ours, if that is why.</param>
    public void End(WebEnd reason, Exception? fault = null)
    {
        if (Ended is not null) return;
        Ended = reason;
        try
        {
            foreach (var stream in _streams.Values.ToArray()) Remove(stream);
            TellAll();
        }
        finally
        {
            _onEnd(fault);
        }
    }

    public void Run()
    {
        _isQueued = false;
        if (_hasRoomAgain)
        {
            _hasRoomAgain = false;
            HasRoomAgain?.Invoke();
        }

        // What one does may wake another: that has the next turn.
        var count = _woken.Count;
        for (var i = 0; i < count; i++) _woken[i].Wake();
        _woken.RemoveRange(0, count);
        TellAll();
    }

    public void OnFault(Exception error) => End(WebEnd.Fault, error);

    private void Apply(in RelayEvent happened, WebLane lane)
    {
        switch (happened.Kind)
        {
            case RelayEventKind.Opened when !_bounds.TryEnterStream(User, Loop.NowMs):
                if (Rules.Close(happened.Stream)) lane.AddClose(happened.Stream);
                break;
            case RelayEventKind.Opened:
                var opened = new WebStream(this, lane, happened.Stream);
                _streams.Add(happened.Stream, opened);
                Volatile.Write(ref _opened, _opened + 1);
                _engine.OnAccepted(opened);
                break;
            case RelayEventKind.Rejected:
                _bounds.RefuseStream();
                lane.AddClose(happened.Stream);
                break;
            case RelayEventKind.Data:
                if (!_streams.TryGetValue(happened.Stream, out var stream) || !stream.Arrive(happened.Payload))
                    break;
                Unread += (int)happened.Payload.Length;
                Volatile.Write(ref _received, _received + happened.Payload.Length);
                LastByteMs = Loop.NowMs;
                TellLater(stream);
                break;
            case RelayEventKind.Credit:
                if (_streams.TryGetValue(happened.Stream, out var poor) && poor.Waiting > 0)
                    poor.Lane.Add(poor);
                break;
            case RelayEventKind.Closed:
                if (_streams.TryGetValue(happened.Stream, out var closed)) Remove(closed);
                break;
        }
    }

    // On the wire it is gone; its owner hears of that.
    private void Remove(WebStream stream)
    {
        if (_streams.Remove(stream.Id)) _bounds.LeaveStream();
        stream.End();
        if (!stream.IsClosed) TellLater(stream);
        stream.Lane.Schedule(); // whoever waits on a lane of its own need not wait on
    }

    private void Owe(WebStream stream, int count)
    {
        if (stream.CreditDue == 0) stream.Lane.Owe(stream);
        stream.CreditDue += (uint)count;
        if (stream.CreditDue >= WebLane.WorthAFrame) stream.Lane.Settle();
        if (_creditMs != long.MaxValue) return;
        _creditMs = Loop.NowMs + CreditMs;
        Loop.EnqueueAt(_creditMs, new Settling(this));
    }

    private void TellLater(WebStream stream)
    {
        if (stream.IsDue) return;
        stream.IsDue = true;
        _due.Add(stream);
        Queue();
    }

    // What they do may make others due: those have the next turn.
    private void TellAll()
    {
        if (_isTelling) return;
        _isTelling = true;
        var count = _due.Count;
        for (var i = 0; i < count; i++) _due[i].Tell(EndOfStreams);
        _due.RemoveRange(0, count);
        _isTelling = false;
        if (_due.Count > 0) Queue();
    }

    // What streams are told that the app, or its session, has given up.
    private CloseReason EndOfStreams => Ended switch
    {
        WebEnd.Revoked => CloseReason.SecretRemoved,
        WebEnd.Shutdown => CloseReason.Shutdown,
        WebEnd.Grace or WebEnd.Protocol or WebEnd.Limit or WebEnd.CarrierLost => CloseReason.ClientReset,
        WebEnd.Fault => CloseReason.InternalError,
        _ => CloseReason.ClientClosed,
    };

    private void NoteRead(int count)
    {
        if (count == 0) return;
        Unread -= count;
        if (HasRoomAgain is null) return;
        _hasRoomAgain = true;
        Queue();
    }

    private void SettleCredit()
    {
        _creditMs = long.MaxValue;
        foreach (var stream in _streams.Values)
        {
            if (stream.CreditDue > 0) stream.Lane.Settle();
        }
    }

    private void Tidy()
    {
        if (Ended is not null) return;
        var now = Loop.NowMs;
        var restMs = Attached > 0 ? TidyMs : _seenMs + _bounds.Limits.GraceMs - now;
        if (restMs <= 0)
        {
            End(WebEnd.Grace);
            return;
        }

        foreach (var stream in _streams.Values)
        {
            if (stream.IsClosed && now - stream.FinishedMs >= TidyMs) stream.GiveUp();
        }

        Loop.EnqueueAt(now + Math.Min(TidyMs, restMs), new Tidying(this));
    }

    private void Queue()
    {
        if (_isQueued) return;
        _isQueued = true;
        Loop.Enqueue(this);
    }

    private sealed class Settling(WebSession session) : ILoopTask
    {
        public void Run() => session.SettleCredit();

        public void OnFault(Exception error) => session.End(WebEnd.Fault, error);
    }

    private sealed class Tidying(WebSession session) : ILoopTask
    {
        public void Run() => session.Tidy();

        public void OnFault(Exception error) => session.End(WebEnd.Fault, error);
    }
}
