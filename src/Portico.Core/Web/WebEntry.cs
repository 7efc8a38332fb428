using System.Buffers;
using Portico.Core.Net;
using Portico.Protocol.WebProxy;

namespace Portico.Core.Web;

/// <summary>A session as its HTTP side sees it. From any thread: each call runs on the session's loop.</summary>
/// <param name="session">The session.</param>
/// <param name="carriers">Its carriers.</param>
/// <param name="sockets">Of its listener.</param>
internal sealed class WebEntry(WebSession session, SessionCarriers carriers, OpenSockets sockets)
{
    /// <summary>Requests with frames of one session that are read at a time.</summary>
    public const int MostBodies = 16;

    private int _bodies;

    /// <summary>The session; its loop's.</summary>
    public WebSession Session => session;

    /// <summary>What its frames travel on; null = none has yet. Soon right.</summary>
    public WebCarrier? Carrier => carriers.Used;

    /// <summary>
    /// A body of frames is about to be read, which takes memory that no loop knows of. An app has one under way at a time, or one a lane.
    /// </summary>
    /// <returns>False if there are so many that it should come again.</returns>
    public bool TryBeginBody()
    {
        if (Interlocked.Increment(ref _bodies) <= MostBodies) return true;
        EndBody();
        return false;
    }

    /// <summary>It was taken or refused.</summary>
    public void EndBody() => Interlocked.Decrement(ref _bodies);

    /// <summary>A request with frames.</summary>
    /// <param name="number">Its sequence number.</param>
    /// <param name="lane">Of a stream, or 0; null = there are no lanes.</param>
    /// <param name="body">At most <see cref="WebBatchReader.MaxLength"/> bytes, valid until the answer.</param>
    /// <param name="left">The app's connection is gone: it asks again, or has by now, and what is late must not come behind that.</param>
    public Task<WebAnswer> PostAsync(ulong number, uint? lane, ReadOnlySequence<byte> body, CancellationToken left = default)
    {
        // Off the loop: it is the dearest part of it.
        var digest = new byte[UplinkSequence.DigestLength];
        UplinkSequence.Digest(body, digest);
        return LoopCall<WebAnswer>.On(session.Loop, call =>
        {
            if (left.IsCancellationRequested) call.TrySetResult(new(WebAnswerKind.Refused));
            else if (carriers.IsGone(lane)) call.TrySetResult(new(WebAnswerKind.Done, number));
            else if (Begin(lane) is { } carrier) carrier.Post(call, number, digest, body);
            else call.TrySetResult(new(WebAnswerKind.Refused));
            carriers.NoteUse();
        }, session.OnFault);
    }

    /// <summary>A request for frames, which waits until there are some.</summary>
    /// <param name="cursor">Up to where the app has everything.</param>
    /// <param name="lane">Of a stream, or 0; null = there are no lanes.</param>
    /// <param name="left">The app's connection is gone: it asks again, or has by now, and what is late must not come behind that.</param>
    public async Task<WebAnswer> AskAsync(ulong cursor, uint? lane, CancellationToken left)
    {
        HttpsCarrier? carrier = null;
        var call = new LoopCall<WebAnswer>(call =>
        {
            if (carriers.IsGone(lane))
            {
                call.TrySetResult(new(WebAnswerKind.Done, cursor, IsLaneClosed: true));
                return;
            }

            carrier = left.IsCancellationRequested ? null : Begin(lane);
            if (carrier is null) call.TrySetResult(new(WebAnswerKind.Refused));
            else carrier.Ask(call, cursor);
        }, session.OnFault);
        session.Loop.Post(call);
        await using var registration = left.UnsafeRegister(
            _ => session.Loop.Post(() => carrier?.Leave(call), error => call.OnFault(error)), null).ConfigureAwait(false);
        return await call.Task.ConfigureAwait(false);
    }

    /// <summary>A WebSocket is about to be opened.</summary>
    /// <param name="lane">The stream that it is for alone; null = all.</param>
    /// <returns>Null if it may not be.</returns>
    public Task<SocketCarrier?> OpenSocketAsync(uint? lane) => LoopCall<SocketCarrier?>.On(
        session.Loop, call => call.TrySetResult(session.Ended is null ? carriers.OpenSocket(lane) : null));

    /// <summary>Whether the session's loop can have a connection.</summary>
    public bool CanTake(Channel channel) => channel.Loop == session.Loop || channel.CanChangeLoops;

    /// <summary>
    /// The WebSocket is open, and the session's loop reads and writes it from now on. On the loop that had the connection.
    /// </summary>
    /// <param name="channel">Can be taken; nobody else has it any more.</param>
    /// <param name="carrier">Its end of the socket.</param>
    /// <param name="early">What the app has sent already.</param>
    public void Take(Channel channel, SocketCarrier carrier, byte[] early)
    {
        if (channel.Loop == session.Loop)
        {
            LoopSocket.Begin(session, carrier, sockets, owner => Give(channel, owner), early);
        }
        else if (channel.Detach() is { } detached)
        {
            session.Loop.Post(
                () => LoopSocket.Begin(session, carrier, sockets, owner => detached.Attach(session.Loop, owner), early),
                fault =>
                {
                    detached.TryDiscard();
                    session.OnFault(fault);
                });
        }
        else
        {
            channel.Close();
            _ = CloseSocketAsync(carrier);
        }
    }

    /// <summary>A long message has begun on one that others read and write. Answered when the rest of it may be read.</summary>
    /// <returns>False: nothing is carried any more.</returns>
    public Task<bool> BeginMessageAsync(SocketCalls socket) =>
        LoopCall<bool>.On(session.Loop, socket.BeginMessage, session.OnFault);

    /// <summary>A message on one that others read and write.</summary>
    /// <returns>False: close it.</returns>
    public Task<bool> ReceiveAsync(SocketCalls socket, ReadOnlySequence<byte> message) =>
        LoopCall<bool>.On(session.Loop, call => socket.Receive(call, message), session.OnFault);

    /// <summary>What is to be sent on it next; null = nothing any more.</summary>
    public Task<WebBatch?> NextAsync(SocketCalls socket) => LoopCall<WebBatch?>.On(session.Loop, socket.Next, session.OnFault);

    /// <summary>It is gone.</summary>
    public Task CloseSocketAsync(SocketCarrier socket) => LoopCall<bool>.On(session.Loop, call =>
    {
        socket.Close();
        call.TrySetResult(true);
    });

    /// <summary>It ends when it is silent, at the latest after a time.</summary>
    public Task DrainAsync(TimeSpan drain) => LoopCall<bool>.On(session.Loop, call =>
    {
        session.Drain(carriers.SayBye, session.Loop.NowMs + (long)drain.TotalMilliseconds);
        call.TrySetResult(true);
    });

    /// <summary>It is over.</summary>
    public Task EndAsync(WebEnd end) => LoopCall<bool>.On(session.Loop, call =>
    {
        session.End(end);
        call.TrySetResult(true);
    });

    private static Channel? Give(Channel channel, IChannelOwner owner)
    {
        if (channel.IsClosed) return null;
        channel.Owner = owner;
        return channel;
    }

    private HttpsCarrier? Begin(uint? lane)
    {
        if (session.Ended is not null) return null;
        session.Touch();
        return carriers.Https(lane);
    }
}
