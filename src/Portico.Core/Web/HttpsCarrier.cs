using System.Buffers;
using Portico.Core.Net;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>How a request of a carrier is answered.</summary>
internal enum WebAnswerKind : byte
{
    /// <summary>204 and the number of the request, or the unchanged cursor.</summary>
    Done,

    /// <summary>200, the next cursor and a batch.</summary>
    Batch,

    /// <summary>503: the same request in a second.</summary>
    Again,

    /// <summary>404: the request was wrong, or its session is over.</summary>
    Refused,
}

/// <summary>An answer.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Number">Sequence number or cursor.</param>
/// <param name="Batch">With Batch: a share of it, to be released when it was written.</param>
/// <param name="IsLaneClosed">Of a lane: its stream is over and everything was acknowledged.</param>
internal readonly record struct WebAnswer(WebAnswerKind Kind, ulong Number = 0, WebBatch? Batch = null, bool IsLaneClosed = false);

/// <summary>
/// Frames in requests up and in parked requests down, for a session or one lane of it: numbers and cursors make up for every lost answer.
/// </summary>
internal sealed class HttpsCarrier : ILaneTaker
{
    // Batches grow while the app asks on at once, and shrink when it takes long: a large one on a slow line is late as a whole.
    private const int FirstBatch = 128 * 1024, LeastBatch = 32 * 1024, QuickMs = 500, SlowMs = 2000;

    private readonly WebSession _session;
    private readonly WebLimits _limits;
    private readonly uint? _only;
    private readonly UplinkSequence _up = new();
    private DownlinkCursor _down;
    private WebBatch? _unacknowledged;
    private int _mostBytes = FirstBatch;
    private long _answeredMs;
    private long _timerMs = long.MaxValue;
    private Parked? _parked;
    private Held? _held;

    /// <param name="session">Whose.</param>
    /// <param name="only">The stream whose lane it is, 0 for what belongs to none; null = there are no lanes.</param>
    /// <param name="limits">How long requests wait.</param>
    public HttpsCarrier(WebSession session, uint? only, WebLimits limits)
    {
        (_session, _only, _limits) = (session, only, limits);
        Lane = new WebLane(session);
    }

    /// <summary>What waits for the app.</summary>
    public WebLane Lane { get; }

    /// <summary>It has carried a frame.</summary>
    public bool IsUsed { get; private set; }

    /// <summary>The app has been told that the lane is over.</summary>
    public bool HasSaidClosed { get; private set; }

    /// <summary>The lane's stream was closed: nothing will come on it any more.</summary>
    public bool IsClosed => IsUsed && _only is > 0 && !_session.HasStream(_only.Value);

    /// <summary>A request with frames.</summary>
    /// <param name="call">To be answered.</param>
    /// <param name="number">Its number.</param>
    /// <param name="digest">Of its body.</param>
    /// <param name="body">Valid until it is answered.</param>
    public void Post(LoopCall<WebAnswer> call, ulong number, ReadOnlySpan<byte> digest, in ReadOnlySequence<byte> body)
    {
        switch (_up.Begin(number, digest))
        {
            case UplinkVerdict.Apply when _session.HasRoomFor(RelayStreams.DataIn(body)):
                Apply(call, body);
                break;
            case UplinkVerdict.Apply:
                _held = new Held(call, body, _session.Loop.NowMs + _limits.HoldMs);
                SetTimer(_held.DueMs);
                break;
            case UplinkVerdict.Repeat:
                _session.Report.Repeated(isUp: true);
                call.TrySetResult(new(WebAnswerKind.Done, number));
                break;
            case UplinkVerdict.Busy:
                call.TrySetResult(new(WebAnswerKind.Again));
                break;
            case UplinkVerdict.Refuse:
                call.TrySetResult(new(WebAnswerKind.Refused));
                break;
            default:
                call.TrySetResult(new(WebAnswerKind.Refused));
                _session.End(WebEnd.Protocol);
                break;
        }
    }

    /// <summary>A request for frames. The newest one waits; one that waited is sent home with what it came with.</summary>
    /// <param name="call">To be answered.</param>
    /// <param name="cursor">Up to where the app has everything.</param>
    public void Ask(LoopCall<WebAnswer> call, ulong cursor)
    {
        switch (_down.Ask(cursor))
        {
            case DownlinkVerdict.Next:
                SendHome();
                Acknowledge();
                _parked = new Parked(call, _session.Loop.NowMs + _limits.PollMs);
                OnReady();
                if (_parked is { } parked) Park(parked);
                break;
            case DownlinkVerdict.Repeat:
                _session.Report.Repeated(isUp: false);
                call.TrySetResult(new(WebAnswerKind.Batch, _down.Value, _unacknowledged!.Share()));
                break;
            default:
                call.TrySetResult(new(WebAnswerKind.Refused));
                _session.End(WebEnd.Protocol);
                break;
        }
    }

    /// <summary>The connection of a request for frames is gone: nothing was taken.</summary>
    public void Leave(LoopCall<WebAnswer> call)
    {
        if (_parked?.Call == call) SendHome();
    }

    /// <summary>There may be room again for a request that was held.</summary>
    public void Resume()
    {
        if (_held is not { } held || !_session.HasRoomFor(RelayStreams.DataIn(held.Body))) return;
        _held = null;
        Apply(held.Call, held.Body);
    }

    /// <summary>The session is over.</summary>
    public void End()
    {
        Lane.Taker = null;
        Acknowledge();
        Unpark()?.Call.TrySetResult(new(WebAnswerKind.Refused));
        _held?.Call.TrySetResult(new(WebAnswerKind.Refused));
        _held = null;
    }

    public void OnReady()
    {
        if (_parked is not { } parked) return;
        var batch = Lane.Take(_mostBytes);
        if (batch is null)
        {
            if (!IsClosed) return;
            HasSaidClosed = true;
            Unpark()!.Call.TrySetResult(new(WebAnswerKind.Done, _down.Value, IsLaneClosed: true));
            return;
        }

        Unpark();
        IsUsed = true;
        _unacknowledged = batch;
        _session.Kept += batch.Bytes.Length;
        _answeredMs = _session.Loop.NowMs;
        // The app has left meanwhile: the batch stays for when it asks again.
        if (!parked.Call.TrySetResult(new(WebAnswerKind.Batch, _down.Send(), batch.Share())))
            batch.Release();
    }

    private void Apply(LoopCall<WebAnswer> call, in ReadOnlySequence<byte> body)
    {
        if (_session.TryAccept(body, _only, Lane, out _))
        {
            IsUsed = true;
            call.TrySetResult(new(WebAnswerKind.Done, _up.Complete()));
            return;
        }

        call.TrySetResult(new(WebAnswerKind.Refused));
        _session.End(WebEnd.Protocol);
    }

    private void Acknowledge()
    {
        if (_unacknowledged is null) return;
        _session.Kept -= _unacknowledged.Bytes.Length;
        _unacknowledged.Release();
        _unacknowledged = null;
        var tookMs = _session.Loop.NowMs - _answeredMs;
        if (tookMs < QuickMs) _mostBytes = Math.Min(2 * _mostBytes, WebBatchReader.MaxLength);
        else if (tookMs > SlowMs) _mostBytes = Math.Max(_mostBytes / 2, LeastBatch);
    }

    private void Park(Parked parked)
    {
        Lane.Taker = this;
        _session.Attached++;
        _session.Parked++;
        parked.IsAttached = true;
        SetTimer(parked.DueMs);
    }

    private void SendHome() => Unpark()?.Call.TrySetResult(new(WebAnswerKind.Done, _down.Value));

    private Parked? Unpark()
    {
        if (_parked is not { } parked) return null;
        _parked = null;
        Lane.Taker = null;
        if (!parked.IsAttached) return parked;
        _session.Attached--;
        _session.Parked--;
        _session.Touch();
        return parked;
    }

    // For whatever is due first. It looks when it comes whether anything is: what was answered long ago is not kept for it. A later one
    // that was set before comes for nothing.
    private void SetTimer(long dueMs)
    {
        if (dueMs >= _timerMs) return;
        _timerMs = dueMs;
        _session.Loop.EnqueueAt(dueMs, new Timer(this));
    }

    private void LookAtTime()
    {
        if (_session.Ended is not null) return;
        var now = _session.Loop.NowMs;
        if (_timerMs <= now) _timerMs = long.MaxValue;
        if (_parked is { } parked && parked.DueMs <= now) SendHome();
        if (_held is { } held && held.DueMs <= now)
        {
            _held = null;
            _up.Abandon();
            held.Call.TrySetResult(new(WebAnswerKind.Again));
        }

        var next = Math.Min(_parked?.DueMs ?? long.MaxValue, _held?.DueMs ?? long.MaxValue);
        if (next != long.MaxValue) SetTimer(next);
    }

    private sealed class Timer(HttpsCarrier carrier) : ILoopTask
    {
        public void Run() => carrier.LookAtTime();

        public void OnFault(Exception error) => carrier._session.End(WebEnd.Fault, error);
    }

    /// <summary>A request for frames that waits, until its time is over.</summary>
    private sealed class Parked(LoopCall<WebAnswer> call, long dueMs)
    {
        public LoopCall<WebAnswer> Call => call;

        public long DueMs => dueMs;

        public bool IsAttached { get; set; }
    }

    /// <summary>A request with frames that waits for room.</summary>
    private sealed class Held(LoopCall<WebAnswer> call, ReadOnlySequence<byte> body, long dueMs)
    {
        public LoopCall<WebAnswer> Call => call;

        public ReadOnlySequence<byte> Body => body;

        public long DueMs => dueMs;
    }
}
