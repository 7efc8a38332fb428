using System.Buffers;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>Frames in the messages of one WebSocket, for a session or one stream of it. What is lost with the socket is lost.</summary>
/// <param name="session">Whose.</param>
/// <param name="only">The stream that it is for alone; null = all.</param>
/// <param name="mayUse">Whether frames may still travel this way.</param>
internal sealed class SocketCarrier(WebSession session, uint? only, Func<bool> mayUse) : ILaneTaker
{
    // So much is under way to an app at a time: what waits here can still be put in order, what is in a socket cannot. On a line that
    // takes long for it, it is less.
    private const int FirstBytes = 64 * 1024, LeastBytes = 16 * 1024, MostBytes = 256 * 1024, QuickMs = 8, SlowMs = 20;

    private LoopCall<WebBatch?>? _waiting;
    private (LoopCall<bool> Call, ReadOnlySequence<byte> Message)? _held;
    private int _mostBytes = FirstBytes;
    private long _givenMs;
    private bool _isOver;

    /// <summary>What waits for the app.</summary>
    public WebLane Lane { get; } = new(session);

    /// <summary>It has carried a frame.</summary>
    public bool IsUsed { get; private set; }

    /// <summary>A stream's own socket has done its work.</summary>
    private bool IsDone => _isOver || (IsUsed && only is { } stream && !session.HasStream(stream));

    /// <summary>A message. The next may be read when this is answered: false = the socket is to be closed.</summary>
    /// <param name="call">To be answered.</param>
    /// <param name="message">Valid until then.</param>
    public void Receive(LoopCall<bool> call, in ReadOnlySequence<byte> message)
    {
        if (_isOver || !mayUse()) call.TrySetResult(false);
        else if (session.HasRoomFor(RelayStreams.DataIn(message))) Apply(call, message);
        else _held = (call, message);
    }

    /// <summary>What is to be sent next, when there is something. One caller at a time.</summary>
    /// <param name="call">To be answered: a batch, to be released when it was sent, or null when there will be none any more.</param>
    public void Next(LoopCall<WebBatch?> call)
    {
        _waiting = call;
        Lane.Taker = this;
        NoteSent();
        OnReady();
    }

    /// <summary>There may be room again for a message that was held.</summary>
    public void Resume()
    {
        if (_held is not { } held || !session.HasRoomFor(RelayStreams.DataIn(held.Message))) return;
        _held = null;
        Apply(held.Call, held.Message);
    }

    /// <summary>It carries nothing any more.</summary>
    public void End()
    {
        _isOver = true;
        Lane.Taker = null;
        _waiting?.TrySetResult(null);
        _waiting = null;
        _held?.Call.TrySetResult(false);
        _held = null;
    }

    public void OnReady()
    {
        if (_waiting is not { } waiting) return;
        var batch = Lane.Take(_mostBytes);
        if (batch is null && !IsDone) return;
        Lane.Taker = null;
        _waiting = null;
        _givenMs = session.Loop.NowMs;
        IsUsed |= batch is not null;
        if (!waiting.TrySetResult(batch)) batch?.Release();
    }

    // Whoever asks for the next has sent the last one.
    private void NoteSent()
    {
        if (!IsUsed) return;
        var tookMs = session.Loop.NowMs - _givenMs;
        if (tookMs < QuickMs) _mostBytes = Math.Min(2 * _mostBytes, MostBytes);
        else if (tookMs > SlowMs) _mostBytes = Math.Max(_mostBytes / 2, LeastBytes);
    }

    private void Apply(LoopCall<bool> call, in ReadOnlySequence<byte> message)
    {
        var isGood = session.TryAccept(message, only, Lane, out _);
        IsUsed |= isGood;
        call.TrySetResult(isGood);
        if (isGood) return;
        if (only is { } stream) session.Abandon(stream);
        else session.End(WebEnd.Protocol);
    }
}
