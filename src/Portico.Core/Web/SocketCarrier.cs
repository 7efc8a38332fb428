using System.Buffers;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>Whoever reads and writes a WebSocket, as its carrier knows it. All on the session's loop, none from within a stream.</summary>
internal interface ISocketPort
{
    /// <summary>There may be something to send, or nothing any more.</summary>
    void OnReady();

    /// <summary>There may be room for a message that was held.</summary>
    void OnRoom();

    /// <summary>It carries nothing any more.</summary>
    void OnOver();

    /// <summary>Nothing is under way, and more could be.</summary>
    bool CanPass => false;

    /// <summary>Sends a message, and keeps what there is no room for. From within a stream: nobody is called back.</summary>
    void Pass(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload) => throw new NotSupportedException();
}

/// <summary>Frames in the messages of one WebSocket, for a session or one stream of it. What is lost with the socket is lost.</summary>
/// <param name="session">Whose.</param>
/// <param name="carriers">The session's, which know whether frames may still travel this way.</param>
/// <param name="only">The stream that it is for alone; null = all.</param>
internal sealed class SocketCarrier(WebSession session, SessionCarriers carriers, uint? only) : ILaneTaker
{
    // So much is under way to an app at a time: what waits here can still be put in order, what is in a socket cannot. On a line that
    // takes long for it, it is less.
    // All that one stream may have waiting goes in one batch, with its header.
    private const int FirstBytes = 64 * 1024, LeastBytes = 16 * 1024, MostBytes = WebStream.MostWaiting + WebFrameHeader.Length,
        QuickMs = 8, SlowMs = 20;

    private int _mostBytes = FirstBytes;
    private long _givenMs;

    /// <summary>The stream that it is for alone; null = all.</summary>
    public uint? Only => only;

    /// <summary>What waits for the app.</summary>
    public WebLane Lane { get; } = new(session);

    /// <summary>Who reads and writes it; null = nobody yet.</summary>
    public ISocketPort? Port { get; set; }

    /// <summary>Whether it may keep a long message of which not all is here.</summary>
    public MessagePlace Place { get; set; }

    /// <summary>How long a message may take that has begun, in ms.</summary>
    public int MessageMs => carriers.Limits.MessageMs;

    /// <summary>It carries nothing any more.</summary>
    public bool IsOver { get; private set; }

    /// <summary>It has carried a frame.</summary>
    public bool IsUsed { get; private set; }

    /// <summary>Nothing will be sent any more. A stream's own socket has done its work when the stream is over.</summary>
    public bool IsDone => IsOver || (IsUsed && only is { } stream && !session.HasStream(stream));

    /// <summary>More than the beginning of a message is to be kept until the rest has come.</summary>
    /// <returns>False = not before <see cref="ISocketPort.OnRoom"/>.</returns>
    public bool TryBeginMessage() => carriers.Places.TryTake(this);

    /// <summary>A message of the app's.</summary>
    /// <returns>False = the socket is to be closed; null = there is no room for it until <see cref="ISocketPort.OnRoom"/>.</returns>
    public bool? TryAccept(in ReadOnlySequence<byte> message)
    {
        var isGood = Accept(message);
        if (isGood is not null) LeavePlace();
        return isGood;
    }

    private bool? Accept(in ReadOnlySequence<byte> message)
    {
        if (IsOver || !carriers.MayUse(only is null ? WebCarrier.WebSocket : WebCarrier.WebSocketLanes))
            return false;
        if (!session.HasRoomFor(RelayStreams.DataIn(message))) return null;
        var isGood = session.TryAccept(message, only, Lane, out _);
        IsUsed |= isGood;
        carriers.NoteUse();
        if (isGood) return true;
        if (only is { } stream) session.Abandon(stream);
        else session.End(WebEnd.Protocol);
        return false;
    }

    /// <summary>Somebody waits for what is to be sent next, and is told of it. Until then nothing is built.</summary>
    public void Want() => Lane.Taker = this;

    /// <summary>What is to be sent next, to be released when it was.</summary>
    /// <param name="header">Bytes that whoever sends it will want in front.</param>
    /// <returns>Null if there is nothing, for now or any more (<see cref="IsDone"/>).</returns>
    public WebBatch? Take(int header = 0)
    {
        var batch = Lane.Take(_mostBytes, header);
        if (batch is null) return null;
        Lane.Taker = null;
        _givenMs = session.Loop.NowMs;
        IsUsed = true;
        return batch;
    }

    public int RoomNow => !IsOver && Port is { CanPass: true } ? _mostBytes : 0;

    public void Pass(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        _givenMs = session.Loop.NowMs;
        IsUsed = true;
        Port!.Pass(header, payload);
    }

    /// <summary>What was taken last has been sent.</summary>
    public void NoteSent()
    {
        if (!IsUsed) return;
        var tookMs = session.Loop.NowMs - _givenMs;
        if (tookMs < QuickMs) _mostBytes = Math.Min(2 * _mostBytes, MostBytes);
        else if (tookMs > SlowMs) _mostBytes = Math.Max(_mostBytes / 2, LeastBytes);
    }

    /// <summary>There may be room again for a message that was held.</summary>
    public void Resume() => Port?.OnRoom();

    /// <summary>The WebSocket is gone, or will be.</summary>
    public void Close() => carriers.CloseSocket(this);

    /// <summary>It carries nothing any more.</summary>
    public void End()
    {
        if (IsOver) return;
        IsOver = true;
        LeavePlace();
        Lane.Taker = null;
        Port?.OnOver();
    }

    public void OnReady() => Port?.OnReady();

    private void LeavePlace()
    {
        if (Place != MessagePlace.None) carriers.Places.Leave(this);
    }
}
