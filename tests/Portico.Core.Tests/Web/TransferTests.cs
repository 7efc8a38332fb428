using System.Buffers;
using System.Security.Cryptography;
using Portico.Core.Tests.Staging;
using Portico.Core.Web;
using Portico.Protocol;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Xunit;
using static Portico.Core.Tests.Web.WebStage;
using static Portico.TestKit.Web.AppFrame;

namespace Portico.Core.Tests.Web;

/// <summary>Whole transfers, with an app at the other end that throws the carrier away for one wrong frame or one byte too many.</summary>
public sealed class TransferTests
{
    [Theory]
    [InlineData(WebCarrier.Https, 1)]
    [InlineData(WebCarrier.HttpsLanes, 2)]
    [InlineData(WebCarrier.WebSocket, 3)]
    [InlineData(WebCarrier.WebSocketLanes, 4)]
    public void Every_byte_arrives_once_and_in_order_whatever_is_lost_and_repeated(WebCarrier carrier, int seed)
    {
        const int Streams = 6, Bytes = 3_000_000;
        var random = new Random(seed);
        using var stage = new WebStage();
        using var app = new AppEnd(stage, carrier, random);
        var streams = Enumerable.Range(1, Streams).Select(id => app.Open((uint)id, random.Next(Bytes))).ToList();

        for (var turns = 0; !streams.TrueForAll(stream => stream.IsComplete); turns++)
        {
            Assert.True(turns < 100_000, "the transfers do not end");
            app.Turn();
        }

        Assert.All(streams, stream => Assert.Equal(stream.Expected, stream.Received));
        foreach (var stream in streams) app.Close(stream);
        app.Turn();
        stage.Stage.Run();
        Assert.Equal(0, app.Session.Streams);
        Assert.Equal((0, 0), (app.Session.Unread, app.Session.Waiting));
        Assert.Null(app.Session.Ended);
        stage.Stage.AssertNoFault();
    }

    [Fact]
    public void A_stream_that_the_app_does_not_read_stands_in_nobody_s_way_and_holds_little()
    {
        using var stage = new WebStage();
        using var app = new AppEnd(stage, WebCarrier.WebSocket, new Random(5));
        var deaf = app.Open(1, 6_000_000);
        deaf.GivesCredit = false;
        var other = app.Open(2, 3_000_000);

        for (var turns = 0; !other.IsComplete; turns++)
        {
            Assert.True(turns < 100_000, "the transfer does not end");
            app.Turn();
        }

        Assert.False(deaf.IsComplete);
        Assert.Equal(other.Expected, other.Received);
        Assert.InRange(app.Session.Waiting, 0, WebStream.MostWaiting);
    }

    [Fact]
    public void A_message_does_not_wait_behind_the_downloads_of_its_session()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);
        for (var stream = 1u; stream <= 9; stream++)
        {
            ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
            Assert.True(stage.Done(entry.ReceiveAsync(socket, Sequence(Open(stream), Data(stream, header)))));
            if (stream < 9) stage.Stage.LatestDc().Say(new byte[1 << 20]);
            else stage.Stage.LatestDc().Say(new byte[100]);
        }

        stage.Stage.Run();
        var behind = 0;
        while (true)
        {
            var frames = Frames(stage.Done(entry.NextAsync(socket)));
            var before = frames.TakeWhile(frame => frame is not { Type: WebFrameType.Data, Stream: 9 }).ToList();
            behind += before.Sum(frame => frame.Payload.Length);
            if (before.Count < frames.Count) break;
        }

        Assert.InRange(behind, 0, 8 * 64 * 1024);
        Assert.InRange(entry.Session.Waiting, 0, (2 << 20) + (8 * 64 * 1024));
    }

    [Fact]
    public void A_stream_that_was_silent_goes_before_downloads_and_one_that_talks_on_takes_turns_with_them()
    {
        using var stage = new WebStage();
        var entry = stage.Create();
        var socket = new SocketCalls(stage.Done(entry.OpenSocketAsync(null))!);
        for (var stream = 1u; stream <= 9; stream++)
        {
            ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out var header);
            Assert.True(stage.Done(entry.ReceiveAsync(socket, Sequence(Open(stream), Data(stream, header)))));
            if (stream < 9) stage.Stage.LatestDc().Say(new byte[4 << 20]);
        }

        var chat = stage.Stage.LatestDc();
        stage.Stage.Run();
        // Until each download has had its first turn.
        for (var batch = 0; batch < 6; batch++) Frames(stage.Done(entry.NextAsync(socket)));

        // Silent until now.
        chat.Say(new byte[100]);
        stage.Stage.Run();
        Assert.Equal(9u, Frames(stage.Done(entry.NextAsync(socket))).First(frame => frame.Type == WebFrameType.Data).Stream);

        // Whenever a batch has left it says more: of nine turns it has one at most.
        var (ofChat, ofAll) = (0, 0);
        for (var batch = 0; batch < 40; batch++)
        {
            chat.Say(new byte[64 * 1024]);
            stage.Stage.Run();
            foreach (var frame in Frames(stage.Done(entry.NextAsync(socket))).Where(frame => frame.Type == WebFrameType.Data))
            {
                ofAll += frame.Payload.Length;
                if (frame.Stream == 9) ofChat += frame.Payload.Length;
            }
        }

        Assert.InRange(ofChat, 1, ofAll / 7);
    }
}

/// <summary>
/// The app's side of one session: sends what its streams have as credit allows, takes what comes by the rules of apps, loses answers and
/// repeats requests where the carrier makes up for it. Data centres send everything back.
/// </summary>
internal sealed class AppEnd : IDisposable
{
    private const int MostAChunk = 200_000;

    private readonly WebStage _stage;
    private readonly WebCarrier _carrier;
    private readonly Random _random;
    private readonly WebEntry _entry;
    private readonly AppStreams _rules = new();
    private readonly Dictionary<uint, AppStream> _streams = [];
    private readonly Dictionary<uint, Way> _ways = [];
    private readonly List<byte[]> _frames = [];

    public AppEnd(WebStage stage, WebCarrier carrier, Random random)
    {
        (_stage, _carrier, _random) = (stage, carrier, random);
        _entry = stage.Create();
        Assert.Equal(WebProxyError.None, _rules.Accept(new WebFrameHeader(WebFrameType.Welcome, 0, 0), default));
    }

    public WebSession Session => _entry.Session;

    private bool HasLanes => _carrier is WebCarrier.HttpsLanes or WebCarrier.WebSocketLanes;

    public AppStream Open(uint id, int bytes)
    {
        var stream = new AppStream(id, bytes);
        _streams.Add(id, stream);
        _rules.Open(id);
        Send(id, AppFrame.Open(id), Data(id, stream.Header));
        Assert.Equal(64, _rules.Spend(id, 64));
        return stream;
    }

    public void Close(AppStream stream)
    {
        _rules.Close(stream.Id);
        Send(stream.Id, AppFrame.Close(stream.Id));
    }

    /// <summary>Everybody does a little.</summary>
    public void Turn()
    {
        _frames.Clear();
        foreach (var stream in _streams.Values.Where(stream => _rules.IsOpen(stream.Id)))
        {
            var count = _rules.Spend(stream.Id, Math.Min(stream.Unsent, _random.Next(MostAChunk)));
            if (count == 0) continue;
            Send(stream.Id, Data(stream.Id, stream.Take(count)));
        }

        foreach (var connect in _stage.Stage.Loop.Connects) Echo(connect.Peer);
        _stage.Stage.Run();
        foreach (var way in _ways.Values.ToList()) Take(way);
        if (_random.Next(10) == 0) _stage.Stage.Advance(1.1);
    }

    public void Dispose()
    {
        foreach (var way in _ways.Values) way.Dispose();
    }

    private readonly Dictionary<object, StageDc> _dcs = [];
    private readonly Dictionary<object, int> _echoed = [];

    private void Echo(TestKit.Memory.MemoryPeer peer)
    {
        if (!_dcs.TryGetValue(peer, out var dc)) _dcs.Add(peer, dc = new StageDc(peer));
        if (!dc.IsGreeted) return;
        var text = dc.Text;
        var done = _echoed.GetValueOrDefault(peer);
        if (done == text.Length) return;
        dc.Say(text.AsSpan(done));
        _echoed[peer] = text.Length;
    }

    private Way WayOf(uint stream)
    {
        var key = HasLanes ? stream : 0;
        if (_ways.TryGetValue(key, out var way)) return way;
        _ways.Add(key, way = new Way(HasLanes ? stream : null));
        if (_carrier is WebCarrier.WebSocket or WebCarrier.WebSocketLanes)
            way.Socket = new SocketCalls(_stage.Done(_entry.OpenSocketAsync(way.Lane))!);
        return way;
    }

    private void Send(uint stream, params byte[][] frames)
    {
        var way = WayOf(stream);
        var body = Sequence(frames);
        if (way.Socket is { } socket)
        {
            Assert.True(_stage.Done(_entry.ReceiveAsync(socket, body)));
            return;
        }

        way.Number++;
        var answer = _stage.Done(_entry.PostAsync(way.Number, way.Lane, body));
        Assert.Null(Session.Ended);
        _stage.Stage.AssertNoFault();
        Assert.Equal(new WebAnswer(WebAnswerKind.Done, way.Number), answer);
        // Its answer was lost.
        if (_random.Next(3) == 0)
            Assert.Equal(answer, _stage.Done(_entry.PostAsync(way.Number, way.Lane, body)));
    }

    private void Take(Way way)
    {
        if (way.Socket is { } socket)
        {
            way.Next ??= _entry.NextAsync(socket);
            _stage.Stage.Run();
            if (!way.Next.IsCompleted) return;
            if (way.Next.Result is { } batch) Accept(batch);
            way.Next = null;
            return;
        }

        way.Poll ??= _entry.AskAsync(way.Cursor, way.Lane, CancellationToken.None);
        _stage.Stage.Run();
        UntilSeen();
        if (!way.Poll.IsCompleted) return;
        var answer = way.Poll.Result;
        way.Poll = null;
        if (answer.Kind == WebAnswerKind.Done) return;
        Assert.Equal((WebAnswerKind.Batch, way.Cursor + 1), (answer.Kind, answer.Number));
        if (_random.Next(4) == 0)
        {
            answer.Batch!.Release(); // lost: asked for again
            return;
        }

        way.Cursor++;
        Accept(answer.Batch!);
    }

    // What the loop has answered is seen on another thread, which may take long where others work: were the clock to go on meanwhile,
    // the session would be given up. Each request that it has not answered keeps it.
    private void UntilSeen() => Assert.True(
        SpinWait.SpinUntil(
            () => _ways.Values.Count(way => way.Poll is { IsCompleted: false }) == Session.Attached, TimeSpan.FromSeconds(5)),
        "an answer is not seen");

    private void Accept(WebBatch batch)
    {
        var reader = new WebBatchReader(new ReadOnlySequence<byte>(batch.Bytes));
        while (reader.TryRead(out var frame))
        {
            var payload = frame.Payload.ToArray();
            Assert.Equal(WebProxyError.None, _rules.Accept(new WebFrameHeader(frame.Type, frame.Stream, payload.Length), payload));
            if (frame.Type != WebFrameType.Data || !_rules.IsOpen(frame.Stream)) continue;
            var stream = _streams[frame.Stream];
            stream.Receive(payload);
            if (!stream.GivesCredit) continue;
            Assert.True(_rules.TryGiveCredit(frame.Stream, (uint)payload.Length));
            Send(frame.Stream, Window(frame.Stream, (uint)payload.Length));
        }

        Assert.Equal(WebProxyError.None, reader.Error);
        batch.Release();
    }

    private sealed class Way(uint? lane) : IDisposable
    {
        public uint? Lane => lane;

        public SocketCalls? Socket { get; set; }

        public Task<WebBatch?>? Next { get; set; }

        public Task<WebAnswer>? Poll { get; set; }

        public ulong Number { get; set; }

        public ulong Cursor { get; set; }

        public void Dispose()
        {
            Next = null;
            Poll = null;
        }
    }
}

/// <summary>One stream of an app, which sends some random bytes and expects them back.</summary>
internal sealed class AppStream
{
    private readonly byte[] _header;
    private readonly ObfuscatedEnd _end;
    private readonly MemoryStream _received = new();
    private int _sent;

    public AppStream(uint id, int bytes)
    {
        Id = id;
        Expected = RandomNumberGenerator.GetBytes(bytes);
        _end = ObfuscatedEnd.Open(Transport.Padded, 2, Stage.Secret, out _header);
    }

    public uint Id { get; }

    public byte[] Header => _header;

    public byte[] Expected { get; }

    public byte[] Received => _received.ToArray();

    public bool GivesCredit { get; set; } = true;

    public int Unsent => Expected.Length - _sent;

    public bool IsComplete => _received.Length == Expected.Length;

    public byte[] Take(int count)
    {
        var part = _end.Encrypt(Expected.AsSpan(_sent, count));
        _sent += count;
        return part;
    }

    public void Receive(byte[] bytes)
    {
        _end.Decrypt(bytes);
        _received.Write(bytes);
    }
}
