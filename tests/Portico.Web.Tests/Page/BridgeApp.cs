using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Playwright;
using Portico.Protocol.WebProxy;
using Portico.TestKit.Web;
using Portico.TestKit.Wires;
using Portico.Web.Tests.Staging;

namespace Portico.Web.Tests.Page;

/// <summary>
/// An app with the bridge page open in a browser. It judges all that the page hands it as apps do, who drop everything on one wrong frame.
/// </summary>
internal sealed class BridgeApp : IAsyncDisposable
{
    private const int MostControl = 4096, MostMessage = 1 << 20, Chunk = 64 * 1024;

    // 32 bytes, as apps make them.
    private const string Nonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    private readonly AppKind _kind;
    private readonly Lock _gate = new();
    private readonly AppStreams _streams = new();
    private readonly ConcurrentDictionary<uint, Channel<AppFrame>> _frames = new();
    private readonly Dictionary<uint, long> _unacknowledged = [];
    private readonly Channel<string> _states = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource _welcome = New(), _closed = New(), _there = New(), _firstState = New(), _bye = New();
    private readonly TaskCompletionSource<Exception> _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _sending = new(1);
    private readonly List<string> _complaints = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private int _delivered;
    private int _acknowledged;
    private bool _isInit;
    private bool _isWelcome;

    private BridgeApp(AppKind kind, IBrowserContext context, IPage page)
    {
        (_kind, Context, Page) = (kind, context, page);
        page.PageError += (_, error) => Complain(error);
        page.Console += (_, line) =>
        {
            if (line.Text.Contains("Content Security Policy", StringComparison.Ordinal))
                Complain(line.Text);
        };
    }

    public IBrowserContext Context { get; }

    public IPage Page { get; }

    /// <summary>All states that the page has told, in order.</summary>
    public ConcurrentQueue<string> States { get; } = new();

    /// <summary>From the navigation to WELCOME.</summary>
    public TimeSpan WelcomeTime { get; private set; }

    /// <summary>Frames that the page has handed on.</summary>
    public int FrameCount { get; private set; }

    /// <summary>Bytes up and down that the page has told of.</summary>
    public (long Up, long Down) Traffic { get; private set; }

    private bool IsInjected => _kind != AppKind.Browser;

    private bool IsOneByOne => _kind is AppKind.EarlyDesktop or AppKind.Android or AppKind.AndroidOfText;

    /// <summary>Opens the page and gets a WELCOME.</summary>
    public static Task<BridgeApp> EnterAsync(IBrowser browser, WebHostUnderTest host, AppKind kind) =>
        EnterAsync(browser, host.BridgeUrl, kind);

    /// <summary>The same with any host.</summary>
    public static async Task<BridgeApp> EnterAsync(IBrowser browser, string bridgeUrl, AppKind kind)
    {
        var app = await OpenAsync(browser, bridgeUrl, kind);
        await app.WelcomeAsync();
        return app;
    }

    /// <summary>Opens the page and says HELLO.</summary>
    /// <param name="browser">Where.</param>
    /// <param name="bridgeUrl">The page.</param>
    /// <param name="kind">Of an app.</param>
    /// <param name="script">Runs before the page's own, where the app has a WebView.</param>
    public static async Task<BridgeApp> OpenAsync(IBrowser browser, string bridgeUrl, AppKind kind, string script = "")
    {
        if (kind == AppKind.Browser)
        {
            var framed = await OpenFrameAsync(browser, bridgeUrl, isByHand: false);
            await framed.HelloAsync();
            return framed;
        }

        var app = await CreateAsync(browser, kind);
        await app.Page.AddInitScriptAsync(AppScripts.Injected(kind, bridgeUrl) + script);
        app._clock.Restart();
        await app.Page.GotoAsync($"{bridgeUrl}#android={Nonce}", new() { WaitUntil = WaitUntilState.Commit });
        await app.HelloAsync();
        return app;
    }

    /// <summary>Opens the page in a frame.</summary>
    /// <param name="browser">Where.</param>
    /// <param name="bridgeUrl">The page.</param>
    /// <param name="isByHand">Nothing is said to it.</param>
    public static async Task<BridgeApp> OpenFrameAsync(IBrowser browser, string bridgeUrl, bool isByHand)
    {
        var app = await CreateAsync(browser, AppKind.Browser);
        await using var frame = await FramePage.StartAsync(AppScripts.Frame(bridgeUrl, isByHand));
        app._clock.Restart();
        await app.Page.GotoAsync(frame.Url, new() { WaitUntil = WaitUntilState.Commit });
        await app.WaitAsync(app._there.Task);
        return app;
    }

    /// <summary>When the page has said something.</summary>
    public async Task HelloAsync()
    {
        await WaitAsync(_firstState.Task);
        if (_kind == AppKind.AndroidOfText) await Page.EvaluateAsync("wrap()");
        await DeliverAsync(Convert.ToBase64String(WebFrame.Hello), isControl: false);
    }

    /// <summary>Until something is so that the page does not tell.</summary>
    public static async Task UntilAsync(Func<bool> condition)
    {
        using var clock = new CancellationTokenSource(Wire.Patience);
        while (!condition()) await Task.Delay(5, clock.Token);
    }

    /// <summary>Until it came.</summary>
    public Task WelcomeAsync() => WaitAsync(_welcome.Task);

    /// <summary>Until the page gives up.</summary>
    public Task ClosedAsync() => WaitAsync(_closed.Task);

    /// <summary>Until the host says that it goes.</summary>
    public Task ByeAsync() => WaitAsync(_bye.Task);

    /// <summary>Until the page says so.</summary>
    public async Task StateAsync(string state)
    {
        while (await WaitAsync(_states.Reader.ReadAsync().AsTask()) != state)
        {
        }
    }

    /// <summary>Opens a stream and sends through it what comes back.</summary>
    public async Task EchoAsync(uint stream, int length, bool isOpen = false)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        var frames = bytes.Chunk(Chunk).Select(part => AppFrame.Data(stream, part));
        await SendAsync([.. isOpen ? Array.Empty<byte[]>() : [AppFrame.Open(stream)], .. frames]);
        await ExpectAsync(stream, bytes);
        await SendAsync(Window(stream, length));
    }

    /// <summary>Until a stream has given exactly these bytes.</summary>
    public async Task ExpectAsync(uint stream, byte[] bytes)
    {
        var read = 0;
        while (read < bytes.Length)
        {
            var frame = await ReceiveAsync(stream);
            if (frame.Type == WebFrameType.Window) continue;
            if (frame.Type != WebFrameType.Data || !bytes.AsSpan(read).StartsWith(frame.Payload))
                throw new PeerSurpriseException($"{frame.Type} with {frame.Payload.Length} bytes that are not the next ones at {read}");
            read += frame.Payload.Length;
        }
    }

    /// <summary>The next frame of a stream.</summary>
    public Task<AppFrame> ReceiveAsync(uint stream) => WaitAsync(FramesOf(stream).Reader.ReadAsync().AsTask());

    /// <summary>Until a stream is closed by the other side, whatever it gives before.</summary>
    public async Task EndAsync(uint stream)
    {
        while ((await ReceiveAsync(stream)).Type != WebFrameType.Close)
        {
        }
    }

    /// <summary>Frames to the page: in as many messages as this app makes of them.</summary>
    public async Task SendAsync(params byte[][] frames)
    {
        lock (_gate)
        {
            foreach (var frame in frames)
            {
                WebFrameHeader.TryRead(frame, out var header, out _);
                if (header.Type == WebFrameType.Data)
                    _unacknowledged[header.Stream] = _unacknowledged.GetValueOrDefault(header.Stream) + header.PayloadLength;
                if (header.Type == WebFrameType.Open) _streams.Open(header.Stream);
                if (header.Type == WebFrameType.Close) _streams.Close(header.Stream);
                if (header.Type == WebFrameType.Window)
                    _streams.TryGiveCredit(header.Stream, BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(WebFrameHeader.Length)));
            }
        }

        for (var at = 0; at < frames.Length;)
        {
            var message = frames[at++].ToList();
            while (!IsOneByOne && at < frames.Length && message.Count + frames[at].Length <= MostMessage) message.AddRange(frames[at++]);
            await DeliverAsync(Convert.ToBase64String([.. message]), isControl: false);
        }
    }

    /// <summary>Tells the page that it is not needed any more.</summary>
    public Task CloseAsync() => DeliverAsync("{\"t\":\"close\"}", isControl: true);

    /// <summary>Any message of control.</summary>
    public async Task DeliverAsync(string text, bool isControl)
    {
        await _sending.WaitAsync();
        try
        {
            await Page.EvaluateAsync("([text, isControl]) => fromApp(text, isControl)", new object[] { text, isControl });
            _delivered++;
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>What nobody should see was not seen: exceptions of the page's, and things that its policy forbids.</summary>
    public void AssertHealthy()
    {
        if (_broken.Task.IsCompleted) throw new PeerSurpriseException(_broken.Task.Result.Message);
        lock (_gate)
        {
            if (_complaints.Count > 0)
                throw new PeerSurpriseException(string.Join('\n', _complaints));
            if (_kind is AppKind.EarlyDesktop or AppKind.Desktop or AppKind.Ios && _acknowledged != _delivered)
                throw new PeerSurpriseException($"{_acknowledged} of {_delivered} deliveries acknowledged");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Context.CloseAsync();
        _sending.Dispose();
    }

    private static async Task<BridgeApp> CreateAsync(IBrowser browser, AppKind kind)
    {
        var context = await browser.NewContextAsync(new() { IgnoreHTTPSErrors = true });
        var app = new BridgeApp(kind, context, await context.NewPageAsync());
        await app.Page.ExposeFunctionAsync<string>("toApp", app.Receive);
        return app;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static byte[] Window(uint stream, int credit)
    {
        var frame = new byte[WebFrameHeader.Length + sizeof(uint)];
        new WebFrameHeader(WebFrameType.Window, stream, sizeof(uint)).Write(frame);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(WebFrameHeader.Length), credit);
        return frame;
    }

    private Channel<AppFrame> FramesOf(uint stream) => _frames.GetOrAdd(stream, _ => Channel.CreateUnbounded<AppFrame>());

    private void Complain(string text)
    {
        lock (_gate) _complaints.Add(text);
    }

    private async Task WaitAsync(Task task)
    {
        if (await Task.WhenAny(task, _broken.Task).WaitAsync(Wire.Patience) == _broken.Task)
            throw await _broken.Task;
        await task;
    }

    private async Task<T> WaitAsync<T>(Task<T> task)
    {
        await WaitAsync((Task)task);
        return await task;
    }

    private void Receive(string text)
    {
        try
        {
            lock (_gate)
            {
                if (text[0] == 'h') _there.TrySetResult();
                else if (text[0] == 'b') ReceiveFrame(Convert.FromBase64String(text[1..]));
                else if (text[0] == 'a') Expect(int.Parse(text.AsSpan(1)) == ++_acknowledged, text);
                else if (text[0] == (IsInjected ? 'c' : 'o')) ReceiveControl(text[1..]);
                else throw new PeerSurpriseException(text);
            }
        }
        catch (Exception error)
        {
            _broken.TrySetResult(error);
        }
    }

    private void ReceiveControl(string text)
    {
        Expect(text.Length <= MostControl, "a long control message");
        if (IsInjected && !_isInit)
        {
            Expect(text == $"{{\"t\":\"tproxy-android-init\",\"v\":1,\"nonce\":\"{Nonce}\"}}", text);
            _isInit = true;
            return;
        }

        using var json = JsonDocument.Parse(text);
        switch (json.RootElement.GetProperty("t").GetString())
        {
            case "status":
                var state = json.RootElement.GetProperty("state").GetString()!;
                Expect(state is "connecting" or "connected" or "reconnecting" or "failed", state);
                States.Enqueue(state);
                _states.Writer.TryWrite(state);
                _firstState.TrySetResult();
                break;
            case "close":
                _closed.TrySetResult();
                break;
            case "traffic" when !IsInjected:
                var (up, down) = (json.RootElement.GetProperty("up").GetUInt32(), json.RootElement.GetProperty("down").GetUInt32());
                Traffic = (Traffic.Up + up, Traffic.Down + down);
                break;
            default:
                throw new PeerSurpriseException(text);
        }
    }

    // Exactly one in each message.
    private void ReceiveFrame(byte[] message)
    {
        var frame = AppFrame.ReadAll(message).Single();
        Expect(frame.Payload.Length <= 256 * 1024, "a frame of more bytes than the apps' messages are made for");
        Expect(_isWelcome || message.AsSpan().SequenceEqual(WebFrame.Welcome), "frames before WELCOME");
        var error = _streams.Accept(new WebFrameHeader(frame.Type, frame.Stream, frame.Payload.Length), frame.Payload);
        FrameCount++;
        if (frame.Type == WebFrameType.Window)
        {
            // An app would not notice credit that it was given twice.
            var left = _unacknowledged.GetValueOrDefault(frame.Stream) - BinaryPrimitives.ReadUInt32BigEndian(frame.Payload);
            Expect(left >= 0, "credit for bytes that were not sent");
            _unacknowledged[frame.Stream] = left;
        }

        if (error == WebProxyError.Bye) _bye.TrySetResult();
        else Expect(error == WebProxyError.None, $"{error}: {frame.Type} of {frame.Stream}");
        if (_isWelcome)
        {
            FramesOf(frame.Stream).Writer.TryWrite(frame);
            return;
        }

        _isWelcome = true;
        WelcomeTime = _clock.Elapsed;
        _welcome.TrySetResult();
    }

    private static void Expect(bool isSo, string otherwise)
    {
        if (!isSo) throw new PeerSurpriseException(otherwise);
    }
}
