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

    /// <summary>Until the session or the app has enough, or the connection is gone.</summary>
    public async Task RunAsync()
    {
        var up = ReceiveAllAsync();
        var down = SendAllAsync();
        await Task.WhenAny(up, down).ConfigureAwait(false);
        var farewell = up.IsCompletedSuccessfully
            ? await up.ConfigureAwait(false)
            : (WebSocketCloseStatus)WebEnds.FarewellOf(entry.Session.Ended);
        var isLost = up.IsFaulted || up.IsCanceled || down.IsFaulted || down.IsCanceled;
        // First, so that nothing waits for frames any more, and what was carried ends at once.
        await entry.CloseSocketAsync(carrier).ConfigureAwait(false);
        if (isLost || !await TryCloseAsync(farewell, up).ConfigureAwait(false)) abort();
        await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
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
        var length = 0;
        try
        {
            while (!isWhole)
            {
                if (length > WebBatchReader.MaxLength) return WebSocketCloseStatus.MessageTooBig;
                if (length == buffer.Length) Grow(ref buffer);
                var part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None).ConfigureAwait(false);
                if (part.MessageType == WebSocketMessageType.Close)
                    return WebSocketCloseStatus.NormalClosure;
                length += part.Count;
                isWhole = part.EndOfMessage;
            }

            if (length > WebBatchReader.MaxLength) return WebSocketCloseStatus.MessageTooBig;
            var isGood = await entry.ReceiveAsync(_calls, new ReadOnlySequence<byte>(buffer, 0, length)).ConfigureAwait(false);
            return isGood ? null : WebSocketCloseStatus.PolicyViolation;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
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
