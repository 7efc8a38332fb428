using System.Net.WebSockets;
using Portico.Protocol.WebProxy;

namespace Portico.SelfTest.WebApp;

/// <summary>One of the four ways on which an app's batches travel.</summary>
internal abstract class AppCarrier : IDisposable
{
    /// <summary>The way for the frames of one stream.</summary>
    /// <param name="carrier">Which of the four.</param>
    /// <param name="session">Whose.</param>
    /// <param name="stream">The one that a lane is for.</param>
    /// <param name="cancel">Nobody waits any more.</param>
    /// <exception cref="CheckFailedException">It cannot be opened.</exception>
    public static async Task<AppCarrier> OpenAsync(WebCarrier carrier, AppSession session, uint stream, CancellationToken cancel) =>
        carrier switch
        {
            WebCarrier.Https => new Requests(session, null),
            WebCarrier.HttpsLanes => new Requests(session, stream),
            WebCarrier.WebSocket => new Messages(await AppSocket.OpenAsync(session, null, cancel)),
            WebCarrier.WebSocketLanes => new Messages(await AppSocket.OpenAsync(session, stream, cancel)),
            _ => throw new ArgumentOutOfRangeException(nameof(carrier)),
        };

    /// <summary>Sends a batch.</summary>
    public abstract Task SendAsync(byte[] batch, CancellationToken cancel);

    /// <summary>The next batch; empty = there is none yet; null = there will be none any more.</summary>
    public abstract Task<byte[]?> ReceiveAsync(CancellationToken cancel);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    private sealed class Requests(AppSession session, uint? lane) : AppCarrier
    {
        private ulong _sent;
        private ulong _cursor;

        public override Task SendAsync(byte[] batch, CancellationToken cancel) => session.PostAsync(++_sent, batch, lane, cancel);

        public override async Task<byte[]?> ReceiveAsync(CancellationToken cancel)
        {
            var batch = await session.AskAsync(_cursor, lane, cancel);
            if (batch is { Length: > 0 }) _cursor++;
            return batch;
        }
    }

    private sealed class Messages(WebSocket socket) : AppCarrier
    {
        private byte[] _buffer = new byte[64 * 1024];

        public override async Task SendAsync(byte[] batch, CancellationToken cancel)
        {
            try
            {
                await socket.SendAsync(batch.AsMemory(), WebSocketMessageType.Binary, endOfMessage: true, cancel);
            }
            catch (Exception problem) when (problem is WebSocketException or IOException)
            {
                throw Lost(problem, cancel);
            }
        }

        public override async Task<byte[]?> ReceiveAsync(CancellationToken cancel)
        {
            try
            {
                for (var length = 0; ;)
                {
                    if (length == _buffer.Length) Array.Resize(ref _buffer, 2 * length);
                    var part = await socket.ReceiveAsync(_buffer.AsMemory(length), cancel);
                    if (part.MessageType == WebSocketMessageType.Close) return null;
                    length += part.Count;
                    if (length > WebBatchReader.MaxLength)
                        throw new CheckFailedException("a message is longer than any batch");
                    if (part.EndOfMessage) return _buffer[..length];
                }
            }
            catch (Exception problem) when (problem is WebSocketException or IOException)
            {
                throw Lost(problem, cancel);
            }
        }

        public override void Dispose()
        {
            base.Dispose();
            socket.Dispose();
        }

        private static CheckFailedException Lost(Exception problem, CancellationToken cancel)
        {
            cancel.ThrowIfCancellationRequested();
            return new($"the WebSocket was lost: {problem.GetBaseException().Message.ReplaceLineEndings(" ")}");
        }
    }
}
