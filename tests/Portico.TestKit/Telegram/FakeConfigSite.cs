using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Portico.Protocol.TelegramConfig;
using Portico.TestKit.Framing;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Telegram;

/// <summary>
/// A stand-in for core.telegram.org and for a service that tells one's address,
/// over plain HTTP/1.1: one request per connection. Keeps books.
/// </summary>
public sealed class FakeConfigSite : IAsyncDisposable
{
    public const string SecretPath = "/getProxySecret";
    public const string ConfigPath = "/getProxyConfig";
    public const string ConfigV6Path = "/getProxyConfigV6";
    public const string AddressPath = "/ip";

    private const int ReadSize = 4096;
    private const int MaxHead = 16 * 1024;

    private readonly News _news;
    private readonly LoopbackListener _listener;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SiteReply> _replies = [];
    private readonly List<(Wire Wire, Task Serving)> _serving = [];
    private ImmutableList<SiteRequest> _requests = [];

    private FakeConfigSite(MiddleProxySecret secret, News news)
    {
        _news = news;
        _listener = new LoopbackListener(IPAddress.Loopback, Take);
        Secret = secret;
        Set(SecretPath, new SiteReply { Body = secret.Bytes.ToArray() });
        Publish(new ProxyConfigDocument(null, []));
        PublishV6(new ProxyConfigDocument(null, []));
        Set(AddressPath, SiteReply.Text("127.0.0.1\n"));
    }

    /// <summary>What the site began with.</summary>
    public MiddleProxySecret Secret { get; }

    public Uri SecretUrl => UrlOf(SecretPath);

    public Uri ConfigUrl => UrlOf(ConfigPath);

    public Uri ConfigV6Url => UrlOf(ConfigV6Path);

    public Uri AddressUrl => UrlOf(AddressPath);

    /// <summary>All requests in the order in which they came, each as soon as its head is there.</summary>
    public IReadOnlyList<SiteRequest> Requests
    {
        get
        {
            lock (_lock)
                return _requests;
        }
    }

    /// <param name="secret">What it serves; null = 128 random bytes.</param>
    public static FakeConfigSite Start(MiddleProxySecret? secret = null) => Start(secret ?? RandomSecret(), new News());

    /// <summary>A secret as long as Telegram's.</summary>
    public static MiddleProxySecret RandomSecret() =>
        MiddleProxySecret.TryCreate(RandomNumberGenerator.GetBytes(128), out var secret) ? secret : throw new InvalidOperationException();

    /// <summary>Where a path is found.</summary>
    public Uri UrlOf(string path) => new($"http://{_listener.Endpoint}{path}");

    /// <summary>From now on <see cref="ConfigPath"/> gives this document.</summary>
    public void Publish(ProxyConfigDocument document) => Set(ConfigPath, SiteReply.Text(document.Write()));

    /// <summary>From now on <see cref="ConfigV6Path"/> gives this document.</summary>
    public void PublishV6(ProxyConfigDocument document) => Set(ConfigV6Path, SiteReply.Text(document.Write()));

    /// <summary>From now on a path gives this; what has no reply gives 404.</summary>
    /// <returns>What it gave before, to be set again.</returns>
    public SiteReply? Set(string path, SiteReply reply)
    {
        lock (_lock)
        {
            var before = _replies.GetValueOrDefault(path);
            _replies[path] = reply;
            return before;
        }
    }

    /// <summary>How often a path was asked for.</summary>
    public int CountOf(string path) => Requests.Count(request => request.Path == path);

    /// <summary>Waits until something in the books of this site is true.</summary>
    /// <exception cref="PeerSurpriseException">It did not become true.</exception>
    public Task UntilAsync(Func<FakeConfigSite, bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) =>
        _news.UntilAsync(() => condition(this), () => string.Join(", ", Requests.Select(request => request.Target)), what);

    /// <summary>Connections are refused from now on.</summary>
    public Task StopListeningAsync() => _listener.StopAsync();

    /// <summary>The contrary of <see cref="StopListeningAsync"/>, on the same port.</summary>
    public void ListenAgain() => _listener.Listen();

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        await _over.CancelAsync();
        (Wire, Task)[] all;
        lock (_lock)
            all = [.. _serving];
        foreach (var (wire, serving) in all)
        {
            await wire.DisposeAsync();
            await serving;
        }
        _over.Dispose();
    }

    internal static FakeConfigSite Start(MiddleProxySecret secret, News news)
    {
        var site = new FakeConfigSite(secret, news);
        site._listener.Listen();
        return site;
    }

    private void Take(Wire wire)
    {
        lock (_lock)
            _serving.Add((wire, ServeAsync(wire)));
    }

    private async Task ServeAsync(Wire wire)
    {
        await using var connection = wire;
        try
        {
            if (await ReadRequestAsync(wire) is not { } request)
                return;
            SiteReply? reply;
            lock (_lock)
            {
                reply = _replies.GetValueOrDefault(request.Path);
                _requests = _requests.Add(request);
            }
            _news.Tell();
            reply ??= SiteReply.Error(404);
            if (reply.Gate is not null)
                await reply.Gate.Passage.WaitAsync(_over.Token);
            if (await wire.TrySendAsync(reply.ToBytes()))
                wire.FinishSending();
            await wire.ReadToEndAsync(Timeout.InfiniteTimeSpan);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // the caller has lost patience, or the test is over
        }
    }

    private static async Task<SiteRequest?> ReadRequestAsync(Wire wire)
    {
        var head = new ByteSink();
        while (head.Length < MaxHead)
        {
            var (count, end) = await wire.ReadSomeAsync(head.Space(ReadSize), Timeout.InfiniteTimeSpan);
            if (end != PeerEnd.None)
                return null;
            head.Commit(count);
            if (SiteRequest.TryRead(head.Content, out var request))
                return request;
        }
        return null;
    }
}
