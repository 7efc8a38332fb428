using System.Buffers.Binary;
using Portico.Core.Admission.Replay;
using Portico.Core.Background;
using Portico.Core.Net;
using Portico.Core.Options;
using Portico.Core.Tests.Staging;
using Portico.Protocol;
using Portico.Protocol.FakeTls;
using Portico.TestKit.Time;
using Portico.TestKit.Wires;
using Xunit;

namespace Portico.Core.Tests.Admission.Replay;

/// <summary>Somebody repeats what a client began with.</summary>
public sealed class ReplayTests : IDisposable
{
    private const ClientProtocols Everything = ClientProtocols.FakeTls | ClientProtocols.Secure | ClientProtocols.Classic;

    private readonly DirectoryInfo _kept = Directory.CreateTempSubdirectory("portico-");
    private readonly ManualTime _time = new();
    private readonly List<Stage> _stages = [];

    public void Dispose()
    {
        foreach (var stage in _stages)
        {
            stage.AssertNoFault();
            stage.Dispose();
        }

        _kept.Delete(recursive: true);
    }

    [Fact]
    public void A_hello_is_answered_once()
    {
        var stage = Start();
        var (client, _) = stage.Relay();
        AssertStranger(stage, client.Hello, "replay_session_detected");
        AssertStranger(stage, client.Hello, "replay_session_detected");
        Assert.Equal(2, stage.Metrics.Sum("portico.protocol.error", "reason", "replay_session_detected"));
        Assert.Equal(1, stage.Metrics.Observe("portico.replay.items"));
        Assert.InRange(stage.Metrics.Observe("portico.replay.bytes"), 1000, 100_000);
        stage.Relay();
    }

    [Fact]
    public void A_hello_whose_time_was_changed_is_still_the_same_hello()
    {
        var stage = Start();
        var (client, _) = stage.Relay();
        stage.Advance(3600);
        AssertStranger(stage, client.Hello, "tls_time");
        AssertStranger(stage, WithTime(client.Hello, _time.GetUtcNow().AddHours(-1), _time.GetUtcNow()), "replay_session_detected");
    }

    [Theory]
    [InlineData(Transport.Padded)]
    [InlineData(Transport.Intermediate)]
    [InlineData(Transport.Abridged)]
    public void A_header_without_tls_opens_once(Transport transport)
    {
        var stage = Start();
        var (client, _) = stage.Relay(new ClientTraits { IsTls = false, Transport = transport });
        AssertStranger(stage, client.Header, "replay_session_detected");

        // The first bytes and the last are not what identifies it: they do not change the keys.
        var other = client.Header;
        other[7] ^= 1;
        other[63] ^= 1;
        AssertStranger(stage, other, "replay_session_detected");
    }

    [Fact]
    public void The_header_inside_tls_is_nobodys_replay()
    {
        var stage = Start();
        var (first, _) = stage.Relay();
        var second = stage.Call();
        second.Peer.Send(second.Hello);
        stage.Run();
        second.Peer.Send(first.Header);
        stage.Run();
        Assert.True(stage.LatestDc().IsGreeted); // under the same keys: the hello in front of it is what was checked
    }

    [Fact]
    public void All_listeners_share_one_memory()
    {
        var stage = Start(settings => settings with { Listeners = [settings.Listeners[0], settings.Listeners[0] with { Name = "second" }] });
        var (client, _) = stage.Relay();
        var peer = stage.Engine.Call(listener: 1);
        peer.Send(client.Hello);
        stage.Run();
        AssertClosed(stage, peer, "replay_session_detected");
    }

    [Fact]
    public void Strangers_leave_no_trace()
    {
        var stage = Start();
        for (var i = 0; i < 50; i++)
        {
            var client = stage.Call(new ClientTraits { Secret = Stage.WrongSecret });
            AssertStranger(stage, client.Hello, "tls_invalid_digest");
        }

        AssertStranger(stage, stage.Call(new ClientTraits { ClockAhead = -700 }).Hello, "tls_time");
        Assert.Equal(0, stage.Metrics.Observe("portico.replay.items"));
    }

    [Fact]
    public void Off_means_off()
    {
        var stage = Start(settings => settings with { Replay = new ReplaySettings { Enabled = false } });
        var (client, _) = stage.Relay();
        var peer = stage.CallRaw();
        peer.Send(client.Hello);
        stage.Run();
        Assert.NotEmpty(peer.Take());
    }

    [Fact]
    public void What_is_forgotten_within_the_window_is_counted_and_warned_of()
    {
        var stage = Start(settings => settings with { Replay = new ReplaySettings { MaxItems = 2 } });
        for (var i = 0; i < 5; i++) stage.Relay();
        Assert.Equal(3, stage.Metrics.Sum("portico.replay.evicted", "age", "in_window"));
        Assert.Single(stage.Log.Lines, line => line.EventName == "ForgottenEarly");
    }

    [Fact]
    public void An_orderly_stop_keeps_everything_for_the_next_start()
    {
        var first = Start();
        var (tls, _) = first.Relay();
        var (plain, _) = first.Relay(new ClientTraits { IsTls = false });
        first.Stop();
        Assert.Equal([ReplayMemory.SeenName], Files());
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_kept.FullName, ReplayMemory.SeenName)));

        _time.Advance(TimeSpan.FromSeconds(60));
        var second = Start();
        Assert.Equal([ReplayMemory.RunningName], Files());
        Assert.Equal(2, second.Metrics.Observe("portico.replay.items"));
        AssertStranger(second, tls.Hello, "replay_session_detected");
        AssertStranger(second, plain.Header, "replay_session_detected");
        second.Relay(new ClientTraits { ClockAhead = -300 }); // and nothing else is refused
        Assert.DoesNotContain(second.Log.Lines, line => line.EventName == "WasKilled");
    }

    [Fact]
    public void After_a_kill_hellos_signed_before_the_start_are_refused_until_the_window_has_passed()
    {
        var first = Start();
        var (tls, _) = first.Relay();
        var (plain, _) = first.Relay(new ClientTraits { IsTls = false });
        Assert.Equal([ReplayMemory.RunningName], Files()); // as a kill leaves it

        var second = Start();
        Assert.Single(second.Log.Lines, line => line.EventName == "WasKilled");
        AssertStranger(second, tls.Hello, "tls_before_start");
        AssertStranger(second, second.Call(new ClientTraits { ClockAhead = -1 }).Hello, "tls_before_start");
        second.Relay(new ClientTraits { ClockAhead = 1 });
        second.Relay(new ClientTraits { IsTls = false }); // a header has no time
        var replayed = second.CallRaw();
        replayed.Send(plain.Header);
        second.Run();
        Assert.Equal(PeerEnd.None, replayed.End); // so this one cannot be refused

        second.Advance(300);
        AssertStranger(second, second.Call(new ClientTraits { ClockAhead = -301 }).Hello, "tls_before_start");
        second.Relay(new ClientTraits { ClockAhead = -298 });
        second.Advance(301);
        second.Relay(new ClientTraits { ClockAhead = -599 }); // signed after the start, as everything in the window is by now
        AssertStranger(second, tls.Hello, "tls_time");
    }

    [Fact]
    public void A_directory_that_knows_nothing_refuses_what_was_signed_before_the_start_and_nothing_of_its_own_second()
    {
        var stage = Start();
        AssertStranger(stage, stage.Call(new ClientTraits { ClockAhead = -1 }).Hello, "tls_before_start");
        stage.Relay(new ClientTraits { ClockAhead = 0 });
        Assert.DoesNotContain(stage.Log.Lines, line => line.EventName == "WasKilled");
    }

    [Fact]
    public void A_damaged_file_is_ignored_with_a_warning_and_counts_as_a_kill()
    {
        var first = Start();
        var (client, _) = first.Relay();
        first.Stop();
        var path = Path.Combine(_kept.FullName, ReplayMemory.SeenName);
        var bytes = File.ReadAllBytes(path);
        bytes[60] ^= 1;
        File.WriteAllBytes(path, bytes);

        _time.Advance(TimeSpan.FromSeconds(1));
        var second = Start();
        Assert.Single(second.Log.Lines, line => line.EventName == "NotWhole");
        AssertStranger(second, client.Hello, "tls_before_start");
        second.Relay();
    }

    [Fact]
    public async Task A_stop_that_cannot_write_ends_all_the_same_and_says_what_follows()
    {
        var stage = Start();
        stage.Relay();
        _kept.Delete(recursive: true);
        await File.WriteAllTextAsync(_kept.FullName, "a file where the directory was");
        try
        {
            stage.Stop();
            await stage.Proxy.StopAsync(TimeSpan.Zero); // the same stop: it has not failed
        }
        finally
        {
            File.Delete(_kept.FullName);
            _kept.Create();
        }

        Assert.Single(stage.Log.Lines, line => line.EventName == "NotKept");
    }

    [Fact]
    public void With_the_window_off_a_kill_refuses_nobody()
    {
        Start(WithoutWindow);
        var second = Start(WithoutWindow);
        second.Relay(new ClientTraits { ClockAhead = -100_000 });

        static ProxySettings WithoutWindow(ProxySettings settings) => settings with { TimeWindow = new TimeWindowSettings { Enabled = false } };
    }

    [Fact]
    public void A_start_that_fails_leaves_the_memory_to_the_next_one()
    {
        var first = Start();
        var (client, _) = first.Relay();
        first.Stop();
        using (var metrics = new MetricProbe())
        {
            var taken = first.Proxy.Settings.Listeners[0].Address;
            Assert.Throws<ListenException>(() => PorticoProxy.Start(first.Proxy.Settings, new TestKit.Memory.MemoryEngine(_time) { Taken = taken }, first.Log.Factory, metrics));
        }

        AssertStranger(Start(), client.Hello, "replay_session_detected");
    }

    [Fact]
    public void A_hello_without_a_clock_is_let_in_once_for_ever_if_that_is_wanted()
    {
        var stage = Start(AcceptUnset);
        var unset = Unset(stage, 4711);
        var client = stage.CallRaw();
        client.Send(unset);
        stage.Run();
        Assert.NotEmpty(client.Take());
        AssertStranger(stage, unset, "replay_session_detected");
        stage.Advance(8 * 3600);
        stage.Relay(); // the ordinary memory hears of the time
        AssertStranger(stage, unset, "replay_session_detected");
        AssertStranger(stage, WithTime(unset, DateTimeOffset.FromUnixTimeSeconds(4711), _time.GetUtcNow()), "replay_session_detected");
        stage.Stop();

        var second = Start(AcceptUnset);
        AssertStranger(second, unset, "replay_session_detected");
        AssertStranger(second, Unset(second, TimeWindow.UnsetClockLimit), "tls_time");
    }

    [Fact]
    public void Otherwise_a_hello_without_a_clock_is_refused_as_any_of_a_wrong_time()
    {
        var stage = Start();
        AssertStranger(stage, Unset(stage, 4711), "tls_time");
        AssertStranger(stage, Unset(stage, 0), "tls_time");
    }

    [Fact]
    public async Task Hellos_without_a_clock_survive_a_kill()
    {
        var first = Start(AcceptUnset);
        var unset = Unset(first, 4711);
        first.CallRaw().Send(unset);
        first.Run();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!Files().Contains(ReplayMemory.UnsetClockName)) await Task.Delay(10, patience.Token); // written by another thread

        AssertStranger(Start(AcceptUnset), unset, "replay_session_detected");
    }

    [Fact]
    public void There_is_an_end_of_those_without_a_clock()
    {
        var set = new UnsetClockSet();
        var beginning = new byte[28];
        for (var i = 0; i < UnsetClockSet.Most; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(beginning, i);
            Assert.True(set.TryAdd(beginning));
        }

        BinaryPrimitives.WriteInt32LittleEndian(beginning, UnsetClockSet.Most);
        Assert.False(set.TryAdd(beginning));
        Assert.False(set.Contains(beginning));
        Assert.Equal(65536, set.Items);
    }

    private static ProxySettings AcceptUnset(ProxySettings settings) => settings with { TimeWindow = new TimeWindowSettings { AcceptUnsetClock = true } };

    // Known times: whoever recorded a hello knows when.
    private static byte[] WithTime(byte[] hello, DateTimeOffset was, DateTimeOffset becomes)
    {
        var changed = hello.ToArray();
        var hidden = changed.AsSpan(39, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(hidden, BinaryPrimitives.ReadUInt32LittleEndian(hidden) ^ (uint)was.ToUnixTimeSeconds() ^ (uint)becomes.ToUnixTimeSeconds());
        return changed;
    }

    private static byte[] Unset(Stage stage, uint uptime)
    {
        var hello = stage.Call().Hello;
        using var key = new HmacKey(Stage.Secret);
        HelloDigest.Sign(hello, key, uptime);
        return hello;
    }

    private static void AssertStranger(Stage stage, byte[] bytes, string reason)
    {
        var peer = stage.CallRaw();
        peer.Send(bytes);
        stage.Run();
        AssertClosed(stage, peer, reason);
    }

    private static void AssertClosed(Stage stage, TestKit.Memory.MemoryPeer peer, string reason)
    {
        Assert.Empty(peer.Take());
        Assert.Equal(PeerEnd.Fin, peer.End);
        peer.Finish();
        stage.Run();
        Assert.Equal($"{reason} (client)", stage.Metrics.Closed.Last());
    }

    private string[] Files() => [.. _kept.GetFiles().Select(file => file.Name).Where(name => name is not (DirectoryLock.Name or DirectoryLock.HolderName))];

    private Stage Start(Func<ProxySettings, ProxySettings>? change = null)
    {
        foreach (var earlier in _stages) earlier.Proxy.LoseDirectory(); // stopped or, as far as the next one can see, killed
        var stage = new Stage(Everything, change: settings => change?.Invoke(Kept(settings)) ?? Kept(settings), time: _time);
        _stages.Add(stage);
        return stage;
    }

    private ProxySettings Kept(ProxySettings settings) => settings with { DataDirectory = _kept.FullName };
}
