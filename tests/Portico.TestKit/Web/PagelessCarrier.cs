using System.Net;
using System.Net.WebSockets;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Web;

/// <summary>The four ways on which an app without a page sends and gets frames; one user at a time.</summary>
public abstract class PagelessCarrier(PagelessClient client) : IDisposable
{
    protected PagelessClient Client => client;

    public static PagelessCarrier Of(WebCarrier carrier, PagelessClient client) => carrier switch
    {
        WebCarrier.Https => new Requests(client, hasLanes: false),
        WebCarrier.HttpsLanes => new Requests(client, hasLanes: true),
        WebCarrier.WebSocket => new Sockets(client, hasLanes: false),
        _ => new Sockets(client, hasLanes: true),
    };

    /// <summary>Sends frames that belong to one stream.</summary>
    public abstract Task SendAsync(uint stream, params byte[][] frames);

    /// <summary>The next frames on the way of a stream.</summary>
    /// <returns>Null when there will be none any more.</returns>
    public abstract Task<IReadOnlyList<AppFrame>?> ReceiveAsync(uint stream);

    /// <summary>What is open is gone.</summary>
    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>So many bytes of one stream, as they come.</summary>
    public async Task<byte[]> ReadAsync(uint stream, int count)
    {
        var read = new List<byte>(count);
        while (read.Count < count)
        {
            foreach (var frame in await ReceiveAsync(stream) ?? throw new PeerSurpriseException("the end instead of bytes"))
            {
                if (frame.Type == WebFrameType.Data && frame.Stream == stream)
                    read.AddRange(frame.Payload);
                else if (frame.Type != WebFrameType.Window)
                    throw new PeerSurpriseException($"{frame.Type} of {frame.Stream}");
            }
        }

        return [.. read];
    }

    private sealed class Requests(PagelessClient client, bool hasLanes) : PagelessCarrier(client)
    {
        private readonly Dictionary<uint, (ulong Sent, ulong Cursor)> _lanes = [];

        public override async Task SendAsync(uint stream, params byte[][] frames)
        {
            var (lane, state) = LaneOf(stream);
            var (number, body) = (++state.Sent, frames.SelectMany(frame => frame).ToArray());
            var answer = await Client.PostAsync(number, body, lane);
            while (answer.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                var pause = answer.Headers.RetryAfter?.Delta ?? throw new PeerSurpriseException("503 without a time");
                answer.Dispose();
                await Task.Delay(pause);
                answer = await Client.PostAsync(number, body, lane);
            }

            using var taken = answer;
            PagelessClient.Expect(answer, HttpStatusCode.NoContent);
            if (PagelessClient.Header(answer, "X-Up-Ack") != $"{state.Sent}")
                throw new PeerSurpriseException("another acknowledgement");
            _lanes[lane ?? 0] = state;
        }

        public override async Task<IReadOnlyList<AppFrame>?> ReceiveAsync(uint stream)
        {
            var (lane, state) = LaneOf(stream);
            using var answer = await Client.AskAsync(state.Cursor, lane);
            if (answer.StatusCode == HttpStatusCode.NoContent && answer.Headers.Contains("X-Lane-Closed"))
                return null;
            PagelessClient.Expect(answer, HttpStatusCode.OK);
            if (PagelessClient.Header(answer, "X-Down-Cursor") != $"{++state.Cursor}")
                throw new PeerSurpriseException("another cursor");
            _lanes[lane ?? 0] = state;
            return AppFrame.ReadAll(await answer.Content.ReadAsByteArrayAsync());
        }

        private (uint? Lane, (ulong Sent, ulong Cursor) State) LaneOf(uint stream) =>
            hasLanes ? (stream, _lanes.GetValueOrDefault(stream)) : (null, _lanes.GetValueOrDefault(0u));
    }

    private sealed class Sockets(PagelessClient client, bool hasLanes) : PagelessCarrier(client)
    {
        private readonly Dictionary<uint, ClientWebSocket> _sockets = [];
        private readonly byte[] _buffer = new byte[WebBatchReader.MaxLength];

        public override async Task SendAsync(uint stream, params byte[][] frames)
        {
            using var clock = new CancellationTokenSource(Wire.Patience);
            byte[] message = [.. frames.SelectMany(frame => frame)];
            await (await SocketOf(stream)).SendAsync(message, WebSocketMessageType.Binary, true, clock.Token);
        }

        public override async Task<IReadOnlyList<AppFrame>?> ReceiveAsync(uint stream)
        {
            using var clock = new CancellationTokenSource(Wire.Patience);
            var socket = await SocketOf(stream);
            var length = 0;
            while (true)
            {
                var part = await socket.ReceiveAsync(_buffer.AsMemory(length), clock.Token);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, clock.Token);
                    return null;
                }

                length += part.Count;
                if (part.EndOfMessage) return AppFrame.ReadAll(_buffer[..length]);
            }
        }

        public override void Dispose()
        {
            base.Dispose();
            foreach (var socket in _sockets.Values) socket.Dispose();
        }

        private async Task<ClientWebSocket> SocketOf(uint stream)
        {
            var key = hasLanes ? stream : 0;
            if (!_sockets.TryGetValue(key, out var socket))
                _sockets.Add(key, socket = await Client.OpenSocketAsync(hasLanes ? stream : null));
            return socket;
        }
    }
}
