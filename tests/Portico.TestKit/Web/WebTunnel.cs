using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Web;

/// <summary>
/// The app's half of a WEB proxy as a port on loopback: each connection to it is a stream of a session of its own, so that every client
/// that knows plain and dd secrets can be tried over one.
/// </summary>
public sealed class WebTunnel : IAsyncDisposable
{
    private const int MostAChunk = 64 * 1024;

    private readonly Func<PagelessClient> _open;
    private readonly bool _isSocket;
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentBag<Task> _streams = [];
    private readonly Task _accepting;

    /// <param name="open">An app that has not opened the page yet.</param>
    /// <param name="isSocket">By a WebSocket instead of requests.</param>
    public WebTunnel(Func<PagelessClient> open, bool isSocket)
    {
        (_open, _isSocket) = (open, isSocket);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>What went wrong in a stream that its client did not end.</summary>
    public ConcurrentQueue<Exception> Faults { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Task.WhenAll(_streams).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_end.Token);
            client.NoDelay = true;
            _streams.Add(CarryAsync(client));
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        using var socket = client;
        using var app = _open();
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        try
        {
            await app.EnterAsync();
            await using Way way = _isSocket ? new SocketWay(await app.OpenSocketAsync()) : new RequestsWay(app);
            await way.SendAsync(AppFrame.Open(1), over.Token);
            var stream = new Stream(client.GetStream(), way);
            await await Task.WhenAny(stream.UpAsync(over.Token), stream.DownAsync(over.Token));
            await over.CancelAsync();
        }
        catch (Exception error) when (!over.IsCancellationRequested)
        {
            Faults.Enqueue(error);
        }
        catch (OperationCanceledException)
        {
            // the tunnel ends
        }
    }

    private sealed class Stream(NetworkStream client, Way way)
    {
        private readonly SemaphoreSlim _creditCame = new(0);
        private long _credit = RelayStreams.InitialWindow;

        public async Task UpAsync(CancellationToken over)
        {
            var buffer = new byte[MostAChunk];
            while (true)
            {
                while (Interlocked.Read(ref _credit) < MostAChunk) await _creditCame.WaitAsync(over);
                var count = await client.ReadAsync(buffer, over);
                if (count == 0) break;
                Interlocked.Add(ref _credit, -count);
                await way.SendAsync(AppFrame.Data(1, buffer.AsSpan(0, count)), over);
            }

            await way.SendAsync(AppFrame.Close(1), over);
        }

        public async Task DownAsync(CancellationToken over)
        {
            while (await way.ReceiveAsync(over) is { } frames)
            {
                var taken = 0;
                foreach (var frame in frames)
                {
                    if (frame.Type == WebFrameType.Close) return;
                    if (frame.Type == WebFrameType.Window)
                    {
                        Interlocked.Add(ref _credit, WebFrame.ReadWindow(new ReadOnlySequence<byte>(frame.Payload)));
                        _creditCame.Release();
                    }
                    else if (frame.Type == WebFrameType.Data)
                    {
                        await client.WriteAsync(frame.Payload, over);
                        taken += frame.Payload.Length;
                    }
                }

                if (taken == 0) continue;
                await way.SendAsync(AppFrame.Window(1, (uint)taken), over);
            }
        }
    }

    private abstract class Way : IAsyncDisposable
    {
        private readonly SemaphoreSlim _sending = new(1);

        public async Task SendAsync(byte[] frames, CancellationToken over)
        {
            await _sending.WaitAsync(over);
            try
            {
                await SendOneAsync(frames, over);
            }
            finally
            {
                _sending.Release();
            }
        }

        public abstract Task<IReadOnlyList<AppFrame>?> ReceiveAsync(CancellationToken over);

        public abstract ValueTask DisposeAsync();

        protected abstract Task SendOneAsync(byte[] frames, CancellationToken over);
    }

    private sealed class RequestsWay(PagelessClient app) : Way
    {
        private ulong _number;
        private ulong _cursor;

        public override async Task<IReadOnlyList<AppFrame>?> ReceiveAsync(CancellationToken over)
        {
            using var answer = await app.AskAsync(_cursor, leave: over);
            if (answer.StatusCode == HttpStatusCode.NoContent) return [];
            if (answer.StatusCode == HttpStatusCode.NotFound) return null;
            PagelessClient.Expect(answer, HttpStatusCode.OK);
            _cursor++;
            return AppFrame.ReadAll(await answer.Content.ReadAsByteArrayAsync(over));
        }

        public override async ValueTask DisposeAsync() => (await app.DeleteAsync()).Dispose();

        protected override async Task SendOneAsync(byte[] frames, CancellationToken over)
        {
            using var answer = await app.PostAsync(++_number, frames);
            if (answer.StatusCode != HttpStatusCode.NoContent)
                throw new PeerSurpriseException($"{answer.StatusCode} for frames");
        }
    }

    private sealed class SocketWay(ClientWebSocket socket) : Way
    {
        private readonly byte[] _buffer = new byte[WebBatchReader.MaxLength];

        public override async Task<IReadOnlyList<AppFrame>?> ReceiveAsync(CancellationToken over)
        {
            var length = 0;
            while (true)
            {
                var part = await socket.ReceiveAsync(_buffer.AsMemory(length), over);
                if (part.MessageType == WebSocketMessageType.Close) return null;
                length += part.Count;
                if (part.EndOfMessage) return AppFrame.ReadAll(_buffer[..length]);
            }
        }

        public override ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        protected override async Task SendOneAsync(byte[] frames, CancellationToken over) =>
            await socket.SendAsync(frames, WebSocketMessageType.Binary, endOfMessage: true, over);
    }
}
