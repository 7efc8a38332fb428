using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Threading.Channels;
using Portico.Core.Diagnostics;
using Portico.Protocol.MiddleProxy;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram.Middle;

/// <summary>
/// One link of a proxy to the fake middle proxy, with what came on it.
/// What it does on its own is honest; the rest a test says.
/// </summary>
public sealed class MiddleConnection : IAsyncDisposable
{
    private const int ReadSize = 256 * 1024;

    // Answers are collected to about this much before they are written, as a busy server does.
    private const int WriteSize = 128 * 1024, TurnSize = 64 * 1024;

    // Servers refuse a proxy whose clock is further off (spec/03 section 2.1).
    private const int MaxClockDifference = 30;

    private readonly Wire _wire;
    private readonly MiddleBehaviour _behaviour;
    private readonly MiddleProxySecret _secret;
    private readonly News _news;
    private readonly TimeProvider _time;
    private readonly MiddleBooks _books;
    private readonly MiddleFrameReader _reader;
    private readonly MiddleFrameWriter _writer;
    private readonly Channel<(MiddleClient Client, MiddleRequest Request, byte[] Packet)> _due =
        Channel.CreateUnbounded<(MiddleClient, MiddleRequest, byte[])>(new UnboundedChannelOptions { SingleReader = true });
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<PeerEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;
    private volatile bool _isReady;
    private volatile bool _isOver;
    private bool _hasFailed;

    // As ReadFrameAsync has met it.
    private PeerEnd _end;

    internal MiddleConnection(Wire wire, MiddleBehaviour behaviour, MiddleProxySecret secret, News news, TimeProvider time)
    {
        _wire = wire;
        _behaviour = behaviour;
        _secret = secret;
        _news = news;
        _time = time;
        _books = new MiddleBooks(news);
        _reader = new MiddleFrameReader(_books.Violate);
        _writer = new MiddleFrameWriter(wire, behaviour);
        Reading = behaviour.Reading ?? new Gate(isOpen: true);
        Answering = behaviour.Answering ?? new Gate(isOpen: true);
        Proxy = new IPEndPoint(behaviour.ProxyAddress ?? wire.Remote.Address, wire.Remote.Port);
    }

    /// <summary>Where the proxy is, as both sides must see it.</summary>
    public IPEndPoint Proxy { get; }

    /// <summary>Closed, the connection takes in nothing more (256 KiB may leave the kernel unseen): the proxy's writes pile up.</summary>
    public Gate Reading { get; }

    /// <summary>Closed, requests are read and not answered.</summary>
    public Gate Answering { get; }

    /// <summary>12 bytes by which the proxy named itself; empty before.</summary>
    public byte[] SenderPid { get; private set; } = [];

    /// <summary>Whether the handshake is done and neither side has ended the link.</summary>
    public bool IsOpen => _isReady && !_isOver && !_writer.IsFinished;

    /// <summary>All requests in the order in which they came.</summary>
    public IReadOnlyList<MiddleRequest> Requests => _books.Requests;

    /// <summary>All clients in the order in which they first came.</summary>
    public IReadOnlyList<MiddleClient> Clients => _books.Clients;

    /// <summary>How many of the clients are there, as far as both sides have said.</summary>
    public int OpenClientCount => Clients.Count(client => client.IsOpen);

    /// <summary>The id of every RPC_CLOSE_CONN that came.</summary>
    public IReadOnlyList<long> CloseConns => _books.CloseConns;

    /// <summary>What the proxy did that no proxy may do.</summary>
    public IReadOnlyList<string> Violations => _books.Violations;

    /// <summary>Completes when the handshake is done; faults when it cannot be any more.</summary>
    public Task Ready => _ready.Task.WaitAsync(Wire.Patience);

    /// <summary>How the proxy ended; waits until it has. None means that this side ended the link with RST.</summary>
    public Task<PeerEnd> Ended => _ended.Task.WaitAsync(Wire.Patience);

    /// <summary>RPC_PING and its RPC_PONG.</summary>
    /// <exception cref="PeerSurpriseException">The link ended first.</exception>
    public async Task PingAsync()
    {
        var id = BitConverter.ToInt64(RandomNumberGenerator.GetBytes(8));
        var pong = _books.ExpectPong(id);
        await SendAsync(MiddlePayload.Ping(id));
        await pong.WaitAsync(Wire.Patience);
    }

    /// <summary>One frame for each payload, all in one write: see <see cref="MiddlePayload"/>.</summary>
    public async Task SendAsync(params byte[][] payloads)
    {
        foreach (var payload in payloads)
            _books.Give(payload);
        await _writer.SendAsync(payloads);
    }

    /// <summary>FIN between two frames, or RST at once. After FIN it goes on reading, as long as the proxy sends.</summary>
    public async Task EndAsync(PeerEnd end = PeerEnd.Fin)
    {
        await _writer.EndAsync(end);
        _news.Tell();
    }

    /// <summary>Does what is wrong, now. The frame that is damaged is a ping.</summary>
    public async Task FailAsync(MiddleFault fault)
    {
        _hasFailed = true;
        await _writer.FailAsync(fault, MiddlePayload.Ping(0));
        _news.Tell();
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _wire.DisposeAsync();
        await _running;
        _writer.Dispose();
        _over.Dispose();
    }

    internal void Start() => _running = RunAsync();

    private async Task RunAsync()
    {
        var end = PeerEnd.None;
        var answering = Task.CompletedTask;
        try
        {
            if (await ShakeHandsAsync())
            {
                answering = AnswerAsync();
                end = await ServeAsync();
            }
            else
            {
                // a socket tells of RST once only
                end = _end != PeerEnd.None ? _end : (await _wire.ReadToEndAsync(Timeout.InfiniteTimeSpan)).End;
            }
            if (end == PeerEnd.Fin)
                await _writer.EndAsync(PeerEnd.Fin);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // this side has reset the link or the test is over; a write met a proxy that is gone
            end = _writer.IsFinished || _over.IsCancellationRequested ? PeerEnd.None : PeerEnd.Reset;
        }
        finally
        {
            _due.Writer.TryComplete();
            await answering;
            _isOver = true;
            _books.EndPings();
            _ready.TrySetException(new PeerSurpriseException($"no handshake: the proxy's end was {end}. {string.Join("; ", Violations)}"));
            _ = _ready.Task.Exception;  // seen: not every test waits for it
            _ended.TrySetResult(end);
            _news.Tell();
        }
    }

    /// <summary>Spec/03 section 2. False when one of the sides has spoiled it.</summary>
    private async Task<bool> ShakeHandsAsync()
    {
        if (await FailsAtAsync(MiddleStep.Accepted, MiddlePayload.Ping(0)))
            return false;

        if (await ReadFrameAsync() is not { } nonce)
            return false;
        if (!TryTakeNonce(nonce, out var toServer, out var toProxy, out var answer, out var error))
        {
            await RefuseAsync($"RPC_NONCE: {error.Tag()}");
            return false;
        }
        if (await FailsAtAsync(MiddleStep.NonceCame, answer))
            return false;
        _reader.TurnEncryptionOn(toServer);
        await _writer.SendAsync([answer]);
        _writer.TurnEncryptionOn(toProxy);
        if (await FailsAtAsync(MiddleStep.NonceSent, MiddlePayload.Ping(0)))
            return false;

        if (await ReadFrameAsync() is not { } handshake)
            return false;
        if (!TryTakeHandshake(handshake, out error))
        {
            await RefuseAsync($"RPC_HANDSHAKE: {error.Tag()}");
            return false;
        }
        answer = _behaviour.RefusesWith is { } code
            ? MiddlePayload.HandshakeError(code, RpcHandshake.AnonymousPid)
            : MiddlePayload.Handshake(_behaviour.HandshakeFlags, RpcHandshake.AnonymousPid, _behaviour.PeerPid ?? SenderPid);
        if (await FailsAtAsync(MiddleStep.HandshakeCame, answer))
            return false;
        await _writer.SendAsync([answer]);
        if (_behaviour.RefusesWith is not null)
        {
            await _writer.EndAsync(PeerEnd.Fin);
            return false;
        }

        _isReady = true;
        _ready.TrySetResult();
        _news.Tell();
        await FailsAtAsync(MiddleStep.HandshakeSent, MiddlePayload.Ping(0));
        return true;
    }

    private bool TryTakeNonce(
        byte[] payload, out MiddleProxyCipher toServer, out MiddleProxyCipher toProxy, out byte[] answer, out MiddleProxyError error)
    {
        (toServer, toProxy, answer) = (default, default, []);
        if (!RpcNonce.TryRead(payload, _secret.KeySelector, out var message, out error))
            return false;
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        if (Math.Abs(now - message.Timestamp) > MaxClockDifference)
            _books.Violate($"RPC_NONCE: the clock says {message.Timestamp}, and it is {now}");

        var nonce = RandomNumberGenerator.GetBytes(RpcNonce.NonceLength);
        MiddleProxyKeys.Derive(
            nonce, message.Nonce, message.Timestamp, _wire.Local, Proxy, _behaviour.OtherSecret ?? _secret, out toServer, out toProxy);
        var clock = (uint)(now + (long)_behaviour.ClockAhead.TotalSeconds);
        answer = MiddlePayload.Nonce(_behaviour.KeySelector ?? _secret.KeySelector, _behaviour.Schema, clock, nonce);
        return true;
    }

    private bool TryTakeHandshake(byte[] payload, out MiddleProxyError error)
    {
        if (!RpcHandshake.TryRead(payload, out var message, out error))
            return false;
        SenderPid = message.SenderPid.ToArray();
        return true;
    }

    private async Task<PeerEnd> ServeAsync()
    {
        while (await ReadFrameAsync() is { } payload)
        {
            var packet = RpcPacket.Read(payload);
            switch (packet.Kind)
            {
                case RpcPacketKind.ProxyReq:
                    TakeRequest(payload);
                    break;
                case RpcPacketKind.CloseConn:
                    _books.TakeCloseConn(packet.ConnectionId);
                    break;
                case RpcPacketKind.Ping:
                    await _writer.SendAsync([MiddlePayload.Pong(packet.PingId)]);
                    break;
                case RpcPacketKind.Pong:
                    _books.TakePong(packet.PingId);
                    break;
                default:
                    _books.Violate($"a proxy does not say {packet.Constructor:x8} in {payload.Length} bytes");
                    break;
            }
        }
        return _end;
    }

    private void TakeRequest(byte[] payload)
    {
        if (!RpcProxyReq.TryRead(payload, out var header, out var packetOffset))
        {
            _books.Violate("RPC_PROXY_REQ that contradicts itself: "
                + $"{Convert.ToHexStringLower(payload.AsSpan(0, Math.Min(payload.Length, RpcProxyReq.HeaderLengthWithAdTag)))}");
            return;
        }
        var packet = payload[packetOffset..];
        var request = new MiddleRequest(
            header.ConnectionId,
            header.Flags,
            new IPEndPoint(RpcAddress.Read(header.ClientAddress), header.ClientPort),
            new IPEndPoint(RpcAddress.Read(header.ProxyAddress), header.ProxyPort),
            header.AdTag.IsEmpty ? null : AdTag.Create(header.AdTag),
            _behaviour.IsForgetful ? [] : packet,
            packet.Length,
            IsLate: _writer.IsFinished);
        _due.Writer.TryWrite((_books.Take(request, packet, Proxy), request, packet));
    }

    /// <summary>
    /// Answers what is due, as long as it may. Not part of the reading,
    /// so that a proxy that does not read is still heard.
    /// </summary>
    private async Task AnswerAsync()
    {
        try
        {
            var batch = new List<byte[]>();
            var size = 0;
            var (turns, byClient) = (new Queue<Turn>(), new Dictionary<MiddleClient, Turn>());
            while (turns.Count > 0 || await _due.Reader.WaitToReadAsync(_over.Token))
            {
                while (_due.Reader.TryRead(out var due))
                {
                    if (!byClient.TryGetValue(due.Client, out var newcomer))
                        turns.Enqueue(byClient[due.Client] = newcomer = new Turn(due.Client));
                    newcomer.Due.Enqueue((due.Request, due.Packet));
                }
                var turn = turns.Dequeue();
                if (await TakeTurnAsync(turn))
                    turns.Enqueue(turn);
                else
                    byClient.Remove(turn.Client);
                if (turns.Count == 0 && !_due.Reader.TryPeek(out _))
                    await FlushAsync();
            }

            // As a server that many share: who asked for much does not keep the others from their answers.
            // True if there is more for that client.
            async Task<bool> TakeTurnAsync(Turn turn)
            {
                for (var given = 0; given < TurnSize;)
                {
                    if (turn.Answers is null)
                    {
                        if (!turn.Due.TryDequeue(out var asked))
                            return false;
                        await Answering.Passage.WaitAsync(_over.Token);
                        if (TestFrame.TryParse(asked.Packet, out var command, out _) && command == TestCommand.Reset)
                            await EndAsync(PeerEnd.Reset);
                        turn.Answers = MiddleAnswers.To(turn.Client, asked.Packet, asked.Request.WantsQuickAck).GetEnumerator();
                    }
                    else if (!turn.Client.IsOpen)
                    {
                        turn.Answers = null; // nobody wants the rest
                        continue;
                    }
                    if (turn.Answers.MoveNext() && !await FailsAtAsync(MiddleStep.RequestCame, turn.Answers.Current) && !_writer.IsFinished)
                    {
                        batch.Add(turn.Answers.Current);
                        given += turn.Answers.Current.Length;
                        size += turn.Answers.Current.Length;
                        if (size >= WriteSize)
                            await FlushAsync();
                        continue;
                    }
                    turn.Answers = null;
                    // FailsAt AnswerSent is about the first answer alone: nothing waits for company then
                    if (_behaviour.FailsAt is not null)
                        await FlushAsync();
                }
                return true;
            }

            async Task FlushAsync()
            {
                if (batch.Count == 0)
                    return;
                await SendAsync([.. batch]);
                batch.Clear();
                size = 0;
                await FailsAtAsync(MiddleStep.AnswerSent, MiddlePayload.Ping(0));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // the link has ended; who reads says how
        }
    }

    private async Task<bool> FailsAtAsync(MiddleStep step, byte[] due)
    {
        if (_behaviour.FailsAt != step || _hasFailed)
            return false;
        _hasFailed = true;
        await _writer.FailAsync(_behaviour.Fault, due);
        _news.Tell();
        return true;
    }

    /// <summary>The next payload; null when the proxy has ended, or has sent what makes the link useless.</summary>
    private async Task<byte[]?> ReadFrameAsync()
    {
        while (true)
        {
            if (_reader.TryTake(out var payload, out var isBroken))
                return payload;
            if (isBroken)
            {
                await _writer.EndAsync(PeerEnd.Reset);
                return null;
            }
            await Reading.Passage.WaitAsync(_over.Token);
            var (count, end) = await _wire.ReadSomeAsync(_reader.Space(ReadSize), Timeout.InfiniteTimeSpan);
            if (end == PeerEnd.None)
            {
                // the gate may have been closed while the read was under way
                await Reading.Passage.WaitAsync(_over.Token);
                _reader.Commit(count);
                continue;
            }
            _end = end;
            if (end == PeerEnd.Fin && _reader.IsInsideFrame && !_writer.IsFinished)
                _books.Violate("FIN inside a frame");
            return null;
        }
    }

    /// <summary>Ends the link as a server does that cannot read what a proxy says.</summary>
    private Task RefuseAsync(string why)
    {
        _books.Violate(why);
        return _writer.EndAsync(PeerEnd.Reset);
    }

    /// <summary>What is due to one client, in its order.</summary>
    private sealed class Turn(MiddleClient client)
    {
        public MiddleClient Client { get; } = client;

        public Queue<(MiddleRequest Request, byte[] Packet)> Due { get; } = [];

        public IEnumerator<byte[]>? Answers { get; set; }
    }
}
