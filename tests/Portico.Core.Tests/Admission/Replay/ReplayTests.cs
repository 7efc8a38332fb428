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

    private const string FirstFile = ReplayFiles.SeenName + ".1";

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
        var stage = Start(
            settings => settings with { Listeners = [settings.Listeners[0], settings.Listeners[0] with { Name = "second" }] });
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
        var first = StartFirst();
        var (tls, _) = first.Relay();
        var (plain, _) = first.Relay(new ClientTraits { IsTls = false });
        first.Stop();
        Assert.Equal([FirstFile], Files());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(PathOf(FirstFile)));

        _time.Advance(TimeSpan.FromSeconds(60));
        var second = Start();
        Assert.Equal([FirstFile, ReplayMemory.RunningName], Files());
        Assert.Equal(2, second.Metrics.Observe("portico.replay.items"));
        Assert.Equal(new FileInfo(PathOf(FirstFile)).Length, second.Metrics.Observe("portico.replay.disk.bytes"));
        AssertStranger(second, tls.Hello, "replay_session_detected");
        AssertStranger(second, plain.Header, "replay_session_detected");
        second.Relay(new ClientTraits { ClockAhead = -300 }); // and nothing else is refused
        Assert.DoesNotContain(second.Log.Lines, line => line.EventName == "WasKilled");
    }

    [Fact]
    public async Task A_recorded_hello_is_a_stranger_after_kill_however_often_and_whatever_its_time_became()
    {
        var recorded = new List<(byte[] Bytes, DateTimeOffset Time)>();
        for (var life = 0; life < 4; life++)
        {
            var stage = Start();
            foreach (var (bytes, time) in recorded)
            {
                AssertStranger(stage, bytes[0] == 22 ? WithTime(bytes, time, _time.GetUtcNow()) : bytes, "replay_session_detected");
                AssertStranger(
                    stage, bytes[0] == 22 ? WithTime(bytes, time, _time.GetUtcNow().AddSeconds(60)) : bytes,
                    "replay_session_detected");
            }

            stage.Advance(5);
            recorded.Add((stage.Relay().Client.Hello, _time.GetUtcNow()));
            recorded.Add((stage.Relay(new ClientTraits { IsTls = false }).Client.Header, _time.GetUtcNow()));
            await UntilWrittenAsync(2 * (life + 1)); // and then the process is gone: nothing stops in order
            _time.Advance(TimeSpan.FromMinutes(7));
        }

        // Nor is it forgotten in ten days, on a process that was started anew.
        _time.Advance(TimeSpan.FromDays(10));
        var last = Start();
        foreach (var (bytes, time) in recorded)
            AssertStranger(last, bytes[0] == 22 ? WithTime(bytes, time, _time.GetUtcNow()) : bytes, "replay_session_detected");
    }

    [Fact]
    public void After_a_kill_only_hellos_of_its_last_moments_are_refused()
    {
        StartFirst().Relay();
        Assert.Contains(ReplayMemory.RunningName, Files()); // as a kill leaves it
        _time.Advance(TimeSpan.FromSeconds(10));

        var second = Start();
        Assert.Single(second.Log.Lines, line => line.EventName == "WasKilled");
        AssertStranger(second, second.Call(new ClientTraits { ClockAhead = -1 }).Hello, "tls_before_start");
        AssertStranger(second, second.Call(new ClientTraits { ClockAhead = -2 }).Hello, "tls_before_start");
        second.Relay(new ClientTraits { ClockAhead = 1 });
        second.Relay(new ClientTraits { ClockAhead = -3 });
        second.Relay(new ClientTraits { ClockAhead = -599 });
        second.Relay(new ClientTraits { IsTls = false });

        // An orderly restart is no way around it.
        second.Stop();
        _time.Advance(TimeSpan.FromSeconds(100));
        var third = Start();
        Assert.Single(third.Log.Lines, line => line.EventName == "StillRefused");
        AssertStranger(third, third.Call(new ClientTraits { ClockAhead = -101 }).Hello, "tls_before_start");
        third.Relay(new ClientTraits { ClockAhead = -97 });
        third.Advance(502);
        third.Stop();
        Start();
        Assert.DoesNotContain(RefusedHellos.Name, Files());
    }

    [Fact]
    public void A_copy_refuses_what_was_signed_before_the_first_start_with_it_until_that_is_too_old()
    {
        Start().Stop();
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(CopyMark.Put(_kept.FullName));
        _time.Advance(TimeSpan.FromSeconds(60)); // clients come to the original, and are recorded

        var first = Start();
        Assert.Single(first.Log.Lines, line => line.EventName == "IsCopy");
        AssertStranger(first, first.Call(new ClientTraits { ClockAhead = -1 }).Hello, "tls_before_start");
        AssertStranger(first, first.Call(new ClientTraits { ClockAhead = -500 }).Hello, "tls_before_start");
        var (client, _) = first.Relay(new ClientTraits { ClockAhead = 1 });
        first.Stop();

        // An orderly restart is no way around it, and nothing signed since the first start is refused.
        _time.Advance(TimeSpan.FromSeconds(100));
        var second = Start();
        AssertStranger(second, second.Call(new ClientTraits { ClockAhead = -101 }).Hello, "tls_before_start");
        AssertStranger(second, client.Hello, "replay_session_detected");
        second.Relay(new ClientTraits { ClockAhead = -90 });

        // Nor is a kill.
        _time.Advance(TimeSpan.FromSeconds(100));
        var third = Start();
        AssertStranger(third, third.Call(new ClientTraits { ClockAhead = -1 }).Hello, "tls_before_start");
        AssertStranger(third, third.Call(new ClientTraits { ClockAhead = -300 }).Hello, "tls_before_start");
        third.Advance(601);
        third.Relay(new ClientTraits { ClockAhead = -590 });
        third.Stop();

        _time.Advance(TimeSpan.FromSeconds(1));
        var last = Start();
        Assert.DoesNotContain(last.Log.Lines, line => line.EventName == "IsCopy");
        Assert.DoesNotContain(CopyMark.Name, Files());
        last.Relay(new ClientTraits { ClockAhead = -300 });
    }

    [Fact]
    public void A_first_start_that_made_its_secret_refuses_nothing_for_a_slow_clock()
    {
        var stage = Start(settings => settings with { HasNewSecret = true });
        stage.Relay(new ClientTraits { ClockAhead = -300 });
        Assert.DoesNotContain(stage.Log.Lines, line => line.EventName is "WasKilled" or "Lost");
    }

    [Fact]
    public void A_directory_that_knows_nothing_of_a_secret_that_is_not_new_refuses_what_was_signed_before_the_start()
    {
        var stage = Start();
        AssertStranger(stage, stage.Call(new ClientTraits { ClockAhead = -1 }).Hello, "tls_before_start");
        stage.Relay(new ClientTraits { ClockAhead = 0 });
        stage.Stop();
        _time.Advance(TimeSpan.FromSeconds(10)); // an orderly restart is no way around it
        stage = Start();
        AssertStranger(stage, stage.Call(new ClientTraits { ClockAhead = -11 }).Hello, "tls_before_start");
        stage.Relay(new ClientTraits { ClockAhead = -10 });
        stage.Advance(591);
        stage.Relay(new ClientTraits { ClockAhead = -599 });
    }

    [Theory]
    [InlineData("")]
    [InlineData("12")]
    [InlineData("nobody knows")]
    [InlineData("1 2 3 4\n")]
    public void A_list_of_what_is_refused_that_cannot_be_read_refuses_everything_before(string text)
    {
        StartFirst().Stop();
        File.WriteAllText(PathOf(RefusedHellos.Name), text);
        var stage = Start();
        AssertStranger(stage, stage.Call(new ClientTraits { ClockAhead = -400 }).Hello, "tls_before_start");
        stage.Relay(new ClientTraits { ClockAhead = 1 });
    }

    [Fact]
    public void What_is_refused_follows_the_window_of_the_day_and_waits_while_that_is_off()
    {
        Start().Stop(); // it knows nothing of who came before
        _time.Advance(TimeSpan.FromSeconds(300));
        Start(settings => settings with { TimeWindow = settings.TimeWindow with { Enabled = false } }).Stop();
        _time.Advance(TimeSpan.FromSeconds(700));
        var stage = Start(settings => settings with { TimeWindow = settings.TimeWindow with { PastSeconds = 3600 } });
        AssertStranger(stage, stage.Call(new ClientTraits { ClockAhead = -1500 }).Hello, "tls_before_start");
        stage.Relay(new ClientTraits { ClockAhead = -900 });
    }

    [Fact]
    public async Task A_drain_that_is_cut_short_has_lost_nothing_and_refuses_no_slow_clock()
    {
        var first = StartFirst();
        var (client, _) = first.Relay();
        var stopping = first.Proxy.StopAsync(TimeSpan.FromSeconds(30));
        await UntilWrittenAsync(1); // killed here
        Assert.False(stopping.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(10));
        var second = Start();
        AssertStranger(second, client.Hello, "replay_session_detected");
        second.Relay(new ClientTraits { ClockAhead = -300 });
    }

    [Fact]
    public void A_damaged_file_is_warned_of_and_what_is_whole_in_it_counts()
    {
        var first = Start();
        var (client, _) = first.Relay();
        first.Stop();
        _time.Advance(TimeSpan.FromSeconds(1));
        var between = Start();
        var (other, _) = between.Relay();
        between.Stop();
        var bytes = File.ReadAllBytes(PathOf(FirstFile));
        bytes[SeenFormat.HeaderLength + SeenFormat.FrameHeaderLength] ^= 1; // in the first of two frames
        File.WriteAllBytes(PathOf(FirstFile), bytes);

        _time.Advance(TimeSpan.FromSeconds(1));
        var last = Start();
        Assert.Single(last.Log.Lines, line => line.EventName == "NotWhole");
        AssertStranger(last, client.Hello, "tls_before_start");
        AssertStranger(last, other.Hello, "replay_session_detected");
        last.Relay();
    }

    [Fact]
    public void A_directory_that_cannot_be_written_keeps_the_proxy_going_from_memory_with_one_warning()
    {
        _kept.Delete(recursive: true);
        File.WriteAllText(_kept.FullName, "a file where the directory should be");
        try
        {
            var stage = Start();
            var (client, _) = stage.Relay();
            AssertStranger(stage, client.Hello, "replay_session_detected");
            stage.Stop();
            Assert.InRange(stage.Log.Lines.Count(line => line.EventName == "NotSaved"), 1, 2); // while it ran, and at its end
        }
        finally
        {
            File.Delete(_kept.FullName);
            _kept.Create();
        }
    }

    [Fact]
    public void With_the_window_off_a_kill_refuses_nobody()
    {
        Start(WithoutWindow);
        var second = Start(WithoutWindow);
        second.Relay(new ClientTraits { ClockAhead = -100_000 });

        static ProxySettings WithoutWindow(ProxySettings settings) =>
            settings with { TimeWindow = new TimeWindowSettings { Enabled = false } };
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
            Assert.Throws<ListenException>(() => PorticoProxy.Start(
                first.Proxy.Settings, new TestKit.Memory.MemoryEngine(_time) { Taken = taken }, first.Log.Factory, metrics));
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
        await UntilWrittenAsync(1, ReplayFiles.UnsetClockName + ".1");
        _time.Advance(TimeSpan.FromDays(100));

        AssertStranger(Start(AcceptUnset), unset, "replay_session_detected");
    }

    [Fact]
    public void There_is_an_end_of_those_without_a_clock()
    {
        var set = new UnsetClockSet(new byte[16]);
        var beginning = new byte[28];
        for (var i = 0; i < UnsetClockSet.Most; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(beginning, i);
            Assert.True(set.TryAdd(beginning, out _));
        }

        BinaryPrimitives.WriteInt32LittleEndian(beginning, UnsetClockSet.Most);
        Assert.False(set.TryAdd(beginning, out _));
        Assert.False(set.Contains(beginning));
        set.Restore(4711);
        Assert.Equal(65536, set.Items); // whatever a file says
    }

    private static ProxySettings AcceptUnset(ProxySettings settings) =>
        settings with { TimeWindow = new TimeWindowSettings { AcceptUnsetClock = true } };

    // Known times: whoever recorded a hello knows when.
    private static byte[] WithTime(byte[] hello, DateTimeOffset was, DateTimeOffset becomes)
    {
        var changed = hello.ToArray();
        var hidden = changed.AsSpan(39, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(
            hidden,
            BinaryPrimitives.ReadUInt32LittleEndian(hidden) ^ (uint)was.ToUnixTimeSeconds() ^ (uint)becomes.ToUnixTimeSeconds());
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

    // Another thread writes, half a second later at the most.
    private async Task UntilWrittenAsync(int items, string name = FirstFile)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (ItemsIn(name) < items) await Task.Delay(20, patience.Token);
    }

    private int ItemsIn(string name)
    {
        if (!File.Exists(PathOf(name))) return 0;
        using var file = File.OpenHandle(PathOf(name), share: FileShare.ReadWrite | FileShare.Delete);
        return SeenReader.Read(file, new byte[SeenReader.BufferLength], _ => { }).Items;
    }

    private string PathOf(string name) => Path.Combine(_kept.FullName, name);

    private string[] Files() =>
    [
        .. _kept.GetFiles().Select(file => file.Name)
            .Where(name => name is not (DirectoryLock.Name or DirectoryLock.HolderName or DataDirectoryVersion.Name))
            .Order(StringComparer.Ordinal),
    ];

    // The first of all: before it there was nobody.
    private Stage StartFirst() => Start(settings => settings with { HasNewSecret = true });

    private Stage Start(Func<ProxySettings, ProxySettings>? change = null)
    {
        foreach (var earlier in _stages) earlier.Proxy.LoseDirectory(); // one that has not stopped was killed
        var stage = new Stage(Everything, change: settings => change?.Invoke(Kept(settings)) ?? Kept(settings), time: _time);
        _stages.Add(stage);
        return stage;
    }

    private ProxySettings Kept(ProxySettings settings) => settings with { DataDirectory = _kept.FullName };
}
