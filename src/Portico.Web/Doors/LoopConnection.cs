using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Connections;
using Portico.Core.Net;
using Portico.Core.Web;
using Portico.Web.Tls;
using Pipe = System.IO.Pipelines.Pipe;

namespace Portico.Web.Doors;

/// <summary>
/// A connection of the web server's whose socket is an event loop's. The server sees two pipes; the loop fills one and empties the other.
/// When the server has done its part, the connection can leave it for another owner on the loop (<see cref="TryLeaveAsync"/>).
/// </summary>
internal sealed class LoopConnection : DefaultConnectionContext, IChannelOwner, ILoopTask
{
    // Bytes that wait on either side before the other one is held, and of those that are sent at a time: on a slow line what is under
    // way can be put in order no more, and a message stands behind it.
    private const int MostWaiting = 64 * 1024, Piece = 16 * 1024;

    // In one turn of the loop, in either direction.
    private const int MovesInATurn = 16;

    // For a peer to take some of what is left when the server has done its part.
    private const int WriteMs = 30_000;

    private readonly Channel _channel;
    private readonly Pipe _input;
    private readonly Pipe _output;
    private readonly Action<Exception> _onFault;
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _room;
    private (LoopCall<bool> Call, Action<Channel, byte[]> Take)? _leaving;
    private bool _isHeld;
    private bool _isQueued;
    private bool _isLast;
    private bool _isInputOver;
    private bool _isInputEnded;
    private volatile bool _hasLeft;

    /// <param name="channel">The socket, or what is inside its TLS; its own until it leaves or ends.</param>
    /// <param name="onFault">Hears of an exception of ours, which has ended it.</param>
    public LoopConnection(Channel channel, Action<Exception> onFault)
        : this(channel, onFault, new LoopScheduler(channel.Loop))
    {
    }

    // What the server does is done on the pool's threads, what the socket does on the loop's.
    private LoopConnection(Channel channel, Action<Exception> onFault, LoopScheduler ours)
        : this(channel, onFault, NewPipe(reader: PipeScheduler.ThreadPool, writer: ours), NewPipe(ours, PipeScheduler.ThreadPool))
    {
    }

    private LoopConnection(Channel channel, Action<Exception> onFault, Pipe input, Pipe output)
        : base("", new Duplex(input.Reader, output.Writer), new Duplex(output.Reader, input.Writer))
    {
        (_channel, _onFault, _input, _output) = (channel, onFault, input, output);
        ConnectionClosed = _closed.Token;
        Features.Set(this);
        channel.Owner = this;
        channel.Settle();
    }

    private sealed record Duplex(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    /// <summary>The socket, or what is inside its TLS; its loop's.</summary>
    public Channel Channel => _channel;

    private EventLoop Loop => _channel.Loop;

    /// <summary>On the loop: begins to fill one pipe and to empty the other.</summary>
    /// <param name="early">What was read of the channel already.</param>
    public void Begin(ReadOnlySpan<byte> early)
    {
        _ = SendAllAsync();
        if (!early.IsEmpty)
        {
            _input.Writer.Write(early);
            _isHeld = true;
            _ = GoOnAsync(_input.Writer.FlushAsync());
        }

        // What came before is announced by no event.
        if (_channel is TlsChannel tls) tls.Begin();
        else Receive();
    }

    /// <summary>
    /// Takes the connection away from the web server, once everything that it has written was sent. Its request may end then; neither
    /// pipe leads anywhere any more. The taker runs on the loop.
    /// </summary>
    /// <param name="take">Has the socket from then on, and what was read of it and by nobody.</param>
    /// <returns>False if the peer has gone.</returns>
    public Task<bool> TryLeaveAsync(Action<Channel, byte[]> take) => LoopCall<bool>.On(Loop, call =>
    {
        if (_channel.IsClosed || _isInputOver)
        {
            call.TrySetResult(false);
            return;
        }

        _leaving = (call, take);
        _isInputOver = true;
        BeginLast();
        // What was written before is there when the read ends so.
        _output.Reader.CancelPendingRead();
    }, OnFault);

    public void OnReady(Channel channel)
    {
        Receive();
        GoOnSending();
    }

    // A turn of its own: one was not enough.
    public void Run()
    {
        _isQueued = false;
        if (!_hasLeft) OnReady(_channel);
    }

    public void OnDeadline(Channel channel) => Fail(null);

    public void OnShutdown(Channel channel) => Fail(null);

    public void OnFault(Exception error)
    {
        _onFault(error);
        Fail(error);
    }

    public override void Abort(ConnectionAbortedException abortReason) => Loop.Post(() => Fail(abortReason), OnFault);

    /// <summary>The web server has done with it: what is still to be sent is sent, then it is closed.</summary>
    public override async ValueTask DisposeAsync()
    {
        if (!_hasLeft)
        {
            await _input.Reader.CompleteAsync().ConfigureAwait(false);
            await _output.Writer.CompleteAsync().ConfigureAwait(false);
            Loop.Post(BeginLast, OnFault);
            await _ended.Task.ConfigureAwait(false);
        }

        _closed.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    private static Pipe NewPipe(PipeScheduler reader, PipeScheduler writer) => new(new PipeOptions(
        readerScheduler: reader, writerScheduler: writer, minimumSegmentSize: Piece, pauseWriterThreshold: MostWaiting,
        resumeWriterThreshold: MostWaiting / 2, useSynchronizationContext: false));

    private void Receive()
    {
        for (var moves = 0; !_isHeld && !_isInputOver && _channel.CanRead; moves++)
        {
            if (moves == MovesInATurn)
            {
                Queue();
                return;
            }

            var status = _channel.Read(_input.Writer.GetMemory().Span, out var count);
            if (status == IoStatus.WouldBlock) return;
            if (status != IoStatus.Ok)
            {
                EndInput(status == IoStatus.Reset ? new ConnectionResetException("The peer has reset the connection.") : null);
                return;
            }

            _input.Writer.Advance(count);
            var flushed = _input.Writer.FlushAsync();
            if (!flushed.IsCompleted)
            {
                _isHeld = true;
                _ = GoOnAsync(flushed);
            }
            else if (flushed.GetAwaiter().GetResult().IsCompleted)
            {
                _isInputOver = true; // the server reads no more
            }
        }
    }

    // Continues on the loop.
    private async Task GoOnAsync(ValueTask<FlushResult> flushed)
    {
        try
        {
            var result = await flushed.ConfigureAwait(false);
            _isHeld = false;
            _isInputOver |= result.IsCompleted;
            Receive();
        }
        catch (Exception error)
        {
            OnSurprise(error);
        }
    }

    private async Task SendAllAsync()
    {
        try
        {
            while (true)
            {
                var result = await _output.Reader.ReadAsync().ConfigureAwait(false);
                if (!await TrySendAsync(result.Buffer).ConfigureAwait(false)) return;
                if (result.IsCanceled && _leaving is { } leaving)
                {
                    Leave(leaving.Take);
                    leaving.Call.TrySetResult(true);
                    return;
                }

                if (result.IsCompleted) break;
            }

            // What is encrypted may still wait for room.
            while (!_channel.IsClosed && !_channel.CanWrite) await WaitAsync().ConfigureAwait(false);
            _channel.Close();
            End(null);
        }
        catch (Exception error)
        {
            OnSurprise(error);
        }
    }

    // False if the connection is gone.
    private async Task<bool> TrySendAsync(ReadOnlySequence<byte> bytes)
    {
        for (var moves = 1; !bytes.IsEmpty && !_channel.IsClosed; moves++)
        {
            var written = Write(bytes, out var status);
            if (status == IoStatus.Reset)
            {
                Fail(new ConnectionResetException("The peer has reset the connection."));
                return false;
            }

            if (written > 0 && _isLast) BeginLast();
            bytes = bytes.Slice(written);
            if (_channel.CanWrite && moves % MovesInATurn != 0) continue;
            if (_channel.CanWrite) Queue();
            await WaitAsync().ConfigureAwait(false);
        }

        if (_channel.IsClosed) return false;
        _output.Reader.AdvanceTo(bytes.End);
        return true;
    }

    // What is left has to move on.
    private void BeginLast()
    {
        _isLast = true;
        _channel.SetDeadline(Loop.NowMs + WriteMs);
    }

    private Task WaitAsync() => (_room ??= new TaskCompletionSource()).Task;

    private void GoOnSending()
    {
        var room = _room;
        _room = null;
        room?.SetResult();
    }

    private void Queue()
    {
        if (_isQueued) return;
        _isQueued = true;
        Loop.Enqueue(this);
    }

    // An exception of ours ends this connection alone; one of the process, the process.
    private void OnSurprise(Exception error)
    {
        if (EventLoop.IsFatal(error)) Loop.Post(() => ExceptionDispatchInfo.Throw(error));
        else OnFault(error);
    }

    // Many small pieces with one call.
    private int Write(in ReadOnlySequence<byte> bytes, out IoStatus status)
    {
        int written;
        var part = (int)Math.Min(bytes.Length, Piece);
        if (bytes.FirstSpan.Length >= part)
        {
            status = _channel.Write(bytes.FirstSpan[..part], out written);
            return written;
        }

        using var loan = Loop.Scratch.Borrow();
        bytes.Slice(0, part).CopyTo(loan.Bytes);
        status = _channel.Write(loan.Bytes[..part], out written);
        return written;
    }

    private void Leave(Action<Channel, byte[]> take)
    {
        _hasLeft = true;
        var early = Array.Empty<byte>();
        if (_input.Reader.TryRead(out var unread))
        {
            early = unread.Buffer.ToArray();
            _input.Reader.AdvanceTo(unread.Buffer.End);
        }

        _input.Writer.Complete();
        _output.Reader.Complete();
        try
        {
            take(_channel, early);
        }
        catch
        {
            _channel.Abort();
            throw;
        }
    }

    private void EndInput(Exception? error)
    {
        if (_isInputEnded) return;
        _isInputOver = _isInputEnded = true;
        _input.Writer.Complete(error);
        ThreadPool.UnsafeQueueUserWorkItem(Cancel, _closed, preferLocal: false);
    }

    private static void Cancel(CancellationTokenSource closed)
    {
        try
        {
            closed.Cancel();
        }
        catch (Exception error) when (error is ObjectDisposedException or AggregateException)
        {
            // The server has done with it, or what it does with the news went wrong.
        }
    }

    private void Fail(Exception? error)
    {
        if (_hasLeft)
        {
            _leaving?.Call.TrySetResult(false); // whoever was to have it could not take it
        }
        else if (!_channel.IsClosed)
        {
            _channel.Abort();
            End(error);
        }
    }

    // The socket is closed.
    private void End(Exception? error)
    {
        EndInput(error);
        _output.Reader.Complete(error);
        _leaving?.Call.TrySetResult(false);
        _ended.TrySetResult();
        GoOnSending();
    }
}
