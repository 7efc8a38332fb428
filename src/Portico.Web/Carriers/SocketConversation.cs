using System.Buffers;
using System.Net.WebSockets;
using System.Runtime.ExceptionServices;
using Portico.Core.Web;
using Portico.Protocol.WebProxy;

namespace Portico.Web.Carriers;

/// <summary>Batches on an open WebSocket: a message each, one at a time either way.</summary>
/// <param name="socket">Open.</param>
/// <param name="entry">The session.</param>
/// <param name="carrier">Its end of the socket.</param>
/// <param name="abort">Cuts the connection off, whatever is being read or written.</param>
internal sealed class SocketConversation(WebSocket socket, WebEntry entry, SocketCarrier carrier, Action abort)
{
    private const int FirstBuffer = 16 * 1024;

    private static readonly TimeSpan WritePatience = TimeSpan.FromSeconds(30), ClosePatience = TimeSpan.FromSeconds(5);

    private readonly SocketCalls _calls = new(carrier);
    private readonly TaskCompletionSource _late = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Timer? _clock;
    private bool _isTimed;

    /// <summary>Until the session or the app has enough, or the connection is gone.</summary>
    public async Task RunAsync()
    {
        var up = ReceiveAllAsync();
        var down = SendAllAsync();
        await Task.WhenAny(up, down, _late.Task).ConfigureAwait(false);
        var farewell = up.IsCompletedSuccessfully ? await up.ConfigureAwait(false)
            : _late.Task.IsCompleted ? WebSocketCloseStatus.PolicyViolation
            : (WebSocketCloseStatus)WebEnds.FarewellOf(entry.Session.Ended);
        var isLost = up.IsFaulted || up.IsCanceled || down.IsFaulted || down.IsCanceled;
        // First, so that nothing waits for frames any more, and what was carried ends at once.
        await entry.CloseSocketAsync(carrier).ConfigureAwait(false);
        if (isLost || !await TryCloseAsync(farewell, up).ConfigureAwait(false)) abort();
        await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_clock is not null) await _clock.DisposeAsync().ConfigureAwait(false);
        // What is no fault of the connection is one of ours, and is told as such.
        foreach (var fault in new[] { up.Exception, down.Exception }.OfType<AggregateException>())
        {
            if (fault.InnerException is not (WebSocketException or IOException or OperationCanceledException or ObjectDisposedException))
                ExceptionDispatchInfo.Throw(fault.InnerException!);
        }
    }

    private async Task SendAllAsync()
    {
        while (await entry.NextAsync(_calls).ConfigureAwait(false) is { } batch)
        {
            using var hurry = new CancellationTokenSource(WritePatience);
            try
            {
                await socket.SendAsync(batch.Bytes, WebSocketMessageType.Binary, endOfMessage: true, hurry.Token).ConfigureAwait(false);
            }
            finally
            {
                batch.Release();
            }
        }
    }

    // Gives what is said to the app at the end.
    private async Task<WebSocketCloseStatus> ReceiveAllAsync()
    {
        while (true)
        {
            // Nothing is rented while nothing comes.
            var arrived = await socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None).ConfigureAwait(false);
            if (arrived.MessageType == WebSocketMessageType.Close)
                return WebSocketCloseStatus.NormalClosure;
            if (arrived.MessageType == WebSocketMessageType.Text)
                return WebSocketCloseStatus.PolicyViolation;
            if (await ReceiveAsync(arrived.EndOfMessage).ConfigureAwait(false) is { } farewell)
                return farewell;
        }
    }

    // One message; null = the next may come.
    private async Task<WebSocketCloseStatus?> ReceiveAsync(bool isWhole)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FirstBuffer);
        var (length, hasPlace) = (0, false);
        try
        {
            while (!isWhole)
            {
                if (length > WebBatchReader.MaxLength) return WebSocketCloseStatus.MessageTooBig;
                if (length == buffer.Length)
                {
                    if (!hasPlace && !await BeginAsync().ConfigureAwait(false))
                        return WebSocketCloseStatus.NormalClosure;
                    hasPlace = true;
                    Grow(ref buffer);
                }

                var receiving = socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                if (!receiving.IsCompleted && !_isTimed) SetClock(isRunning: true);
                var part = await receiving.ConfigureAwait(false);
                if (part.MessageType == WebSocketMessageType.Close)
                    return WebSocketCloseStatus.NormalClosure;
                length += part.Count;
                isWhole = part.EndOfMessage;
            }

            SetClock(isRunning: false);
            if (length > WebBatchReader.MaxLength) return WebSocketCloseStatus.MessageTooBig;
            var isGood = await entry.ReceiveAsync(_calls, new ReadOnlySequence<byte>(buffer, 0, length)).ConfigureAwait(false);
            return isGood ? null : WebSocketCloseStatus.PolicyViolation;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    // Time in which others are waited for is not the app's.
    private async Task<bool> BeginAsync()
    {
        SetClock(isRunning: false);
        return await entry.BeginMessageAsync(_calls).ConfigureAwait(false);
    }

    private void SetClock(bool isRunning)
    {
        if (isRunning == _isTimed) return;
        _isTimed = isRunning;
        _clock ??= new Timer(_ => _late.TrySetResult());
        _clock.Change(isRunning ? carrier.MessageMs : Timeout.Infinite, Timeout.Infinite);
    }

    private static void Grow(ref byte[] buffer)
    {
        var larger = ArrayPool<byte>.Shared.Rent(2 * buffer.Length);
        buffer.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    // The app has a while to say that it has heard it: cut off at once, it might not.
    private async Task<bool> TryCloseAsync(WebSocketCloseStatus farewell, Task up)
    {
        using var hurry = new CancellationTokenSource(ClosePatience);
        try
        {
            await socket.CloseOutputAsync(farewell, null, hurry.Token).ConfigureAwait(false);
            await up.WaitAsync(hurry.Token).ConfigureAwait(false);
            var rest = new byte[1024];
            while (socket.State == WebSocketState.CloseSent)
                await socket.ReceiveAsync(rest.AsMemory(), hurry.Token).ConfigureAwait(false);
            return true;
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or IOException)
        {
            return false; // it has left, or does not listen
        }
    }
}
