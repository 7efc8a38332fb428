using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Framing;
using Portico.TestKit.Telegram;
using Portico.TestKit.Wires;

namespace Portico.TestKit.Covers;

/// <summary>
/// A TLS 1.3 server that can be told every byte of its answer, and what to do wrong. It makes no keys:
/// what it calls encrypted is random, which nobody can tell without a key. Keeps books of the hellos it got.
/// </summary>
public sealed class ScriptedSite : IAsyncDisposable
{
    private const int ReadSize = 4096;

    private readonly News _news = new();
    private readonly LoopbackListener _listener;
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _lock = new();
    private readonly List<(Wire Wire, Task Serving)> _serving = [];
    private ImmutableList<SiteVisit> _visits = [];
    private SiteScript _script;

    private ScriptedSite(SiteScript script)
    {
        _script = script;
        _listener = new LoopbackListener(IPAddress.Loopback, Take);
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint Endpoint => _listener.Endpoint;

    /// <summary>What it does with each further hello.</summary>
    public SiteScript Script
    {
        get
        {
            lock (_lock)
                return _script;
        }
        set
        {
            lock (_lock)
                _script = value;
        }
    }

    /// <summary>Everybody who came, in order.</summary>
    public IReadOnlyList<SiteVisit> Visits
    {
        get
        {
            lock (_lock)
                return _visits;
        }
    }

    /// <param name="script">What it does; null = as an honest server.</param>
    public static ScriptedSite Start(SiteScript? script = null)
    {
        var site = new ScriptedSite(script ?? new SiteScript());
        site._listener.Listen();
        return site;
    }

    /// <summary>Waits until something in the books is true.</summary>
    /// <exception cref="PeerSurpriseException">It did not become true.</exception>
    public Task UntilAsync(Func<ScriptedSite, bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) =>
        _news.UntilAsync(() => condition(this), () => string.Join(", ", Visits), what);

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
            var script = Script;
            if (script.Fault == SiteFault.ClosesAtOnce || await ReadHelloAsync(wire, script) is not { } visit)
                return;
            lock (_lock)
                _visits = _visits.Add(visit);
            _news.Tell();
            if (script.Gate is { } gate)
                await gate.Passage.WaitAsync(_over.Token);
            if (script.Fault == SiteFault.Resets)
            {
                Note(ref visit, visit with { IsDelivered = true });
                wire.Reset();
                return;
            }
            var answer = script.Answer(visit);
            // Until the visitor has read it all: a test with a manual clock may move it then.
            await wire.SendAsync(answer.AsMemory(0, Math.Max(0, answer.Length - 1)), script.Piece);
            await wire.SendAsync(answer.AsMemory(Math.Max(0, answer.Length - 1)), settled: true);
            Note(ref visit, visit with { IsDelivered = true });
            if (script.Fault is SiteFault.EndsInRecord or SiteFault.EndsBehindFlight)
                wire.FinishSending();
            var end = await wire.ReadToEndAsync(Timeout.InfiniteTimeSpan);
            Note(ref visit, visit with { IsDelivered = true, Farewell = end });
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // the caller has lost patience, or the test is over
        }
    }

    private void Note(ref SiteVisit visit, SiteVisit now)
    {
        lock (_lock)
            _visits = _visits.Replace(visit, now);
        visit = now;
        _news.Tell();
    }

    private static async Task<SiteVisit?> ReadHelloAsync(Wire wire, SiteScript script)
    {
        List<byte> preamble = [.. await wire.ReadExactlyAsync(script.PreambleLength)];
        while (script.EndsPreambleWithLine && preamble.LastOrDefault() != '\n')
            preamble.AddRange(await wire.ReadExactlyAsync(1));
        var raw = new ByteSink();
        var scratch = new byte[ClientHelloReader.MaxHelloLength];
        while (true)
        {
            var (count, end) = await wire.ReadSomeAsync(raw.Space(ReadSize), Timeout.InfiniteTimeSpan);
            if (end != PeerEnd.None)
                return null;
            raw.Commit(count);
            var status = ClientHelloReader.TryCollect(raw.Content, scratch, out var bytes, out _, out var error);
            if (status == FrameStatus.NeedMoreData)
                continue;
            if (status != FrameStatus.Ok && script.ClosesOthers)
                return null;
            if (status != FrameStatus.Ok || !ClientHello.TryParse(bytes, out var hello, out error))
                throw new PeerSurpriseException($"no server could read this hello ({error}): {new Received(raw.Take(), PeerEnd.None)}");
            return new SiteVisit(
                Encoding.ASCII.GetString(hello.Sni), TlsSuiteOffer.Of(hello.CipherSuites),
                hello.HasPostQuantumShare, [.. hello.SessionId], [.. preamble])
            {
                Hello = [.. bytes],
            };
        }
    }
}

/// <summary>One hello that a site got.</summary>
/// <param name="Sni">The name asked for.</param>
/// <param name="Offer">The suites of TLS 1.3.</param>
/// <param name="IsPostQuantum">It holds an X25519MLKEM768 share.</param>
/// <param name="SessionId">To be echoed.</param>
/// <param name="Preamble">What came before it, as far as the script expects something.</param>
public sealed record SiteVisit(
    string Sni, TlsSuiteOffer Offer, bool IsPostQuantum, ImmutableArray<byte> SessionId, ImmutableArray<byte> Preamble)
{
    /// <summary>All of it, in one-record form.</summary>
    public ImmutableArray<byte> Hello { get; init; }

    /// <summary>The visitor has read the whole answer.</summary>
    public bool IsDelivered { get; init; }

    /// <summary>What came after the answer, and how the visitor left; null while it is there.</summary>
    public Received? Farewell { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Sni} ({Offer}{(IsPostQuantum ? ", post-quantum" : "")}): {Farewell?.End.ToString() ?? "there"}";
}
