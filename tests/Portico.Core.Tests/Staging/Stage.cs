using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Portico.Core.Clients;
using Portico.Core.Diagnostics;
using Portico.Core.Options;
using Portico.Core.Sessions;
using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Portico.TestKit.Diagnostics;
using Portico.TestKit.Memory;
using Portico.TestKit.Time;
using Xunit;

namespace Portico.Core.Tests.Staging;

/// <summary>A whole proxy on the memory engine, with everything around it in the test's hands.</summary>
internal sealed class Stage : IDisposable
{
    public static readonly ProxySecret Secret = ProxySecret.Create("0123456789abcdef"u8);

    public static readonly ProxySecret WrongSecret = ProxySecret.Create("fedcba9876543210"u8);

    /// <summary>Where the site is that strangers see on a stage with a cover.</summary>
    public static readonly IPEndPoint CoverAddress = new(IPAddress.Parse("192.0.2.80"), 443);

    /// <summary>Where DC 2 is: the IPv4 address is tried first.</summary>
    public static readonly IPEndPoint FirstAddress = new(IPAddress.Parse("192.0.2.2"), 443),
        SecondAddress = new(IPAddress.Parse("2001:db8::2"), 443);

    private readonly LogProbe _log = new();

    /// <param name="protocols">What the listener speaks.</param>
    /// <param name="seed">Of the weather; null = calm.</param>
    /// <param name="change">Changes the settings before the start.</param>
    /// <param name="isSilent">Nobody reads logs and metrics, for counting what the proxy itself allocates.</param>
    /// <param name="resolve">The addresses of a cover's name; null = every name is unknown.</param>
    /// <param name="time">The clock of an earlier stage; null = one of its own.</param>
    /// <param name="users">Where managed users are kept; null = nowhere.</param>
    /// <param name="isTimed">
    /// What is beside the loops goes by the stage's clock too, and not by the system's. Then the memory of the process is watched, which is
    /// not this stage's alone.
    /// </param>
    public Stage(
        ClientProtocols protocols = ClientProtocols.FakeTls, int? seed = null,
        Func<ProxySettings, ProxySettings>? change = null, bool isSilent = false,
        Func<string, Task<IPAddress[]>>? resolve = null, ManualTime? time = null, IUserStore? users = null,
        bool isTimed = false)
    {
        Time = time ?? new ManualTime();
        Engine = new MemoryEngine(Time, seed);
        var settings = new ProxySettings
        {
            Listeners =
            [
                new ListenerSettings
                {
                    Name = "main",
                    Address = new IPEndPoint(IPAddress.Loopback, 0),
                    Credentials = [new Credential("default", Secret)],
                    Protocols = protocols,
                },
            ],
            Direct = new DirectSettings
            {
                Endpoints = ImmutableDictionary<int, ImmutableArray<IPEndPoint>>.Empty.Add(2, [FirstAddress, SecondAddress]),
            },
            TimeWindow = new TimeWindowSettings(),
            Timeouts = new TimeoutSettings(),
            DataDirectory = "",
        };
        if (isSilent) Metrics.Stop();
        var loggers = isSilent ? NullLoggerFactory.Instance : LimitedLoggerFactory.Around(_log.Factory, Time);
        Proxy = PorticoProxy.Start(
            change?.Invoke(settings) ?? settings, Engine, loggers, Metrics,
            isTimed ? Time : null, resolve: resolve ?? (_ => Task.FromResult<IPAddress[]>([])), users: users);
        Loop.RunUntilIdle();
    }

    public ManualTime Time { get; }

    public MemoryEngine Engine { get; }

    public MemoryLoop Loop => Engine.Loop;

    public PorticoProxy Proxy { get; }

    public MetricProbe Metrics { get; } = new();

    public LogProbe Log => _log;

    /// <summary>What the sessions of the only loop share.</summary>
    public LoopServices Services => Proxy.Services.Current.Loops[Loop.Index];

    public ListenerContext Listener => Services.Listeners[0];

    /// <summary>The far end of the proxy's latest connection to a DC.</summary>
    public StageDc LatestDc() => new(Loop.Connects[^1].Peer);

    public static Func<ProxySettings, ProxySettings> WithTimeouts(Func<TimeoutSettings, TimeoutSettings> change) =>
        settings => settings with { Timeouts = change(settings.Timeouts) };

    /// <summary>A fixed cover at <see cref="CoverAddress"/>, changed by <paramref name="change"/>.</summary>
    public static Func<ProxySettings, ProxySettings> WithCover(Func<CoverSettings, CoverSettings>? change = null)
    {
        var cover = new CoverSettings { Mode = CoverMode.Fixed, Target = CoverTarget.OfAddress(CoverAddress) };
        return settings => settings with { Cover = change?.Invoke(cover) ?? cover };
    }

    /// <summary>The cover's ends of the proxy's connections to it, in the order of the attempts.</summary>
    public IEnumerable<MemoryPeer> Covers =>
        Loop.Connects.Where(connect => connect.Address.Equals(CoverAddress)).Select(connect => connect.Peer);

    /// <summary>Somebody connects who is no Telegram app.</summary>
    public MemoryPeer CallRaw() => Engine.Call();

    /// <summary>A Telegram app connects; nothing is sent yet.</summary>
    public StageClient Call(ClientTraits? traits = null) =>
        new(Engine.Call(), Time.GetUtcNow().ToUnixTimeSeconds(), traits ?? new ClientTraits());

    /// <summary>A session that relays, with its DC.</summary>
    public (StageClient Client, StageDc Dc) Relay(ClientTraits? traits = null)
    {
        var client = Call(traits);
        if (client.Hello.Length > 0)
        {
            client.Peer.Send(client.Hello);
            Run();
            Assert.True(client.HasFlight);
        }

        client.Peer.Send(client.Header);
        Run();
        var dc = LatestDc();
        Assert.True(dc.IsGreeted);
        return (client, dc);
    }

    public void Run() => Loop.RunUntilIdle();

    public void Advance(double seconds) => Loop.Advance(TimeSpan.FromSeconds(seconds));

    /// <summary>Every session so far has ended for these reasons, and none of them left anything behind.</summary>
    public void AssertClosed(params string[] reasons)
    {
        Assert.Equal(reasons, Metrics.Closed);
        AssertNothingLeft();
    }

    /// <summary>So many sessions have ended, for these reasons; others may be there.</summary>
    public void AssertEnded(params string[] reasons) => Assert.Equal(reasons, Metrics.Closed);

    /// <summary>No session has ended.</summary>
    public void AssertOpen() => Assert.Empty(Metrics.Closed);

    public void AssertNothingLeft()
    {
        Assert.Equal(0, Proxy.SessionCount);
        Assert.Equal(0, Listener.Limit.Count);
        Assert.Equal(0, Proxy.Cover.Budget.Count);
        Assert.Equal(0, Loop.Slots.Count);
        Assert.Equal(0, Loop.Buffers.Rented);
        Assert.All(Loop.Connects, connect => Assert.True(connect.IsReleased));
        Assert.Equal(0, Metrics.Observe("portico.connections"));
    }

    /// <summary>Nothing on the stage was anybody's bug.</summary>
    public void AssertNoFault() => Assert.Empty(_log.Errors);

    /// <summary>Ends every session there is.</summary>
    public void Stop()
    {
        var stopped = Proxy.StopAsync(TimeSpan.Zero);
        while (!stopped.IsCompleted)
        {
            Run();
            Thread.Yield(); // the rest of StopAsync runs on the pool
        }
    }

    public void Dispose()
    {
        Stop();
        Metrics.Dispose();
        _log.Dispose();
    }
}
