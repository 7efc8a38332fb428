using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using Portico.Core.Admission.Replay;
using Portico.Core.Options;
using Portico.Protocol.Crypto;
using Xunit;
using Xunit.Abstractions;

namespace Portico.Core.Tests.Admission.Replay;

public class ReplaySetTests(ITestOutputHelper output)
{
    private const int MaxBytesPerItem = 24;

    private readonly List<(int Items, long Seconds)> _evicted = [];

    [Fact]
    public void What_came_once_is_known_and_nothing_else_is()
    {
        var set = Of(new ReplaySettings());
        for (var i = 0; i < 100_000; i++) Assert.True(set.TryAdd(Beginning(i), now: i / 100, out _));
        for (var i = 0; i < 100_000; i++) Assert.False(set.TryAdd(Beginning(i), now: 1000, out _));
        Assert.Equal(100_000, set.Items);
        Assert.True(set.TryAdd(Beginning(100_000), now: 1000, out _));
        Assert.Empty(_evicted);
    }

    [Fact]
    public void Two_sets_place_the_same_beginning_differently()
    {
        var (first, second) = (Of(new ReplaySettings(), key: 1), Of(new ReplaySettings(), key: 2));
        first.TryAdd("hello"u8, 0, out var item);
        second.TryAdd("hello"u8, 0, out var other);
        Assert.NotEqual(item, other);
    }

    [Fact]
    public void A_beginning_is_remembered_for_the_whole_age_and_then_forgotten()
    {
        var set = Of(new ReplaySettings { MaxAge = TimeSpan.FromMinutes(72) });
        set.TryAdd("hello"u8, 0, out _);
        Trickle(set, 60, 72 * 60);
        Assert.True(set.Contains("hello"u8));
        Trickle(set, 72 * 60, 75 * 60);
        Assert.False(set.Contains("hello"u8));
        Assert.True(set.TryAdd("hello"u8, 75 * 60, out _));
        Assert.Empty(_evicted);
    }

    [Fact]
    public void A_beginning_that_is_repeated_stays_young()
    {
        var set = Of(new ReplaySettings { MaxAge = TimeSpan.FromMinutes(10) });
        set.TryAdd("hello"u8, 0, out _);
        for (var now = 300; now < 3600; now += 300)
        {
            Trickle(set, now - 300, now);
            Assert.False(set.TryAdd("hello"u8, now, out _));
        }
    }

    [Fact]
    public void More_than_the_most_items_drop_the_oldest_and_tell_how_young_they_were()
    {
        const int most = 10_000;
        var set = Of(new ReplaySettings { MaxItems = most });
        for (var i = 0; i < 3 * most; i++)
        {
            set.TryAdd(Beginning(i), now: i / 100, out _);
            Assert.InRange(set.Items, 0, most);
        }

        for (var i = (3 * most) - (most * 9 / 10); i < 3 * most; i++) Assert.True(set.Contains(Beginning(i)));
        Assert.False(set.Contains(Beginning(0)));
        Assert.Equal((3 * most) - set.Items, _evicted.Sum(one => one.Items));
        Assert.All(_evicted, one => Assert.InRange(one.Seconds, 50, 150)); // at 100 a second the youngest had been there for some 97 s
    }

    [Fact]
    public void A_set_of_very_few_makes_room_as_well()
    {
        var set = Of(new ReplaySettings { MaxItems = 2 });
        for (var i = 0; i < 300; i++) Assert.True(set.TryAdd(Beginning(i), 0, out _));
        Assert.Equal(2, set.Items);
        Assert.False(set.TryAdd(Beginning(299), 0, out _));
    }

    [Fact]
    public void No_more_memory_is_taken_than_there_may_be()
    {
        const long most = 1 << 20;
        var set = Of(new ReplaySettings { MaxBytes = most });
        for (var i = 0; i < 200_000; i++)
        {
            set.TryAdd(Beginning(i), now: i / 100, out _);
            Assert.InRange(set.Bytes, 0, most);
        }

        Assert.InRange(set.Items, most / 56, most / 10);
        Assert.True(set.Contains(Beginning(199_999)));
        Assert.NotEmpty(_evicted);
    }

    [Theory]
    [InlineData(50_000)]
    [InlineData(1_000_000)]
    public void An_item_takes_at_most_twenty_four_bytes_of_memory_all_included(int most)
    {
        // Other tests run meanwhile, so the heap cannot be asked.
        // What this thread allocated is more than what is kept: directories that were too small.
        var before = GC.GetAllocatedBytesForCurrentThread();
        var set = Of(new ReplaySettings());
        var (least, worst) = (double.MaxValue, 0.0);
        Span<byte> beginning = stackalloc byte[8];
        for (var i = 1; i <= most; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(beginning, i);
            set.TryAdd(beginning, now: i / 1000, out _);
            if (i < 50_000) continue;
            least = Math.Min(least, (double)set.Bytes / i);
            worst = Math.Max(worst, (double)set.Bytes / i);
        }

        var taken = GC.GetAllocatedBytesForCurrentThread() - before;
        output.WriteLine($"{most} items: between {least:0.0} and {worst:0.0} bytes each from 50 000 on, "
            + $"{(double)set.Bytes / most:0.0} at the end; allocated {(double)taken / most:0.0}");
        Assert.InRange(worst, 10, MaxBytesPerItem);
        Assert.InRange((double)taken / most, 10, MaxBytesPerItem);
        Assert.InRange(set.Bytes, taken * 0.95, taken * 1.01); // what the gauge says is what there is
    }

    [Fact]
    public void A_small_proxy_pays_little()
    {
        var set = Of(new ReplaySettings());
        Assert.InRange(set.Bytes, 0, 50_000);
        for (var i = 0; i < 1000; i++) set.TryAdd(Beginning(i), now: i, out _);
        Assert.InRange(set.Bytes, 0, 400_000);
    }

    [Fact]
    public void Memory_of_a_burst_comes_back_when_it_is_forgotten()
    {
        var set = Of(new ReplaySettings { MaxAge = TimeSpan.FromMinutes(60) });
        for (var i = 0; i < 200_000; i++) set.TryAdd(Beginning(i), now: 0, out _);
        var peak = set.Bytes;
        for (var i = 0; i < 20_000; i++) set.TryAdd(Beginning(1_000_000 + i), now: i / 2, out _);
        Assert.InRange(set.Items, 5_000, 10_000);
        Assert.InRange(set.Bytes, 0, peak / 4);
        for (var i = 15_000; i < 20_000; i++) Assert.True(set.Contains(Beginning(1_000_000 + i)));
    }

    [Fact]
    public void Of_many_who_bring_the_same_beginning_at_once_one_is_first()
    {
        var set = Of(new ReplaySettings());
        for (var i = 0; i < 2000; i++)
        {
            var first = 0;
            Parallel.For(0, 4, thread =>
            {
                if (set.TryAdd(Beginning(i), 0, out _)) Interlocked.Increment(ref first);
            });
            Assert.Equal(1, first);
        }

        Assert.Equal(2000, set.Items);
    }

    [Fact]
    public void Many_at_once_lose_nothing()
    {
        var set = Of(new ReplaySettings());
        Parallel.For(0, 100_000, i => Assert.True(set.TryAdd(Beginning(i), 0, out _)));
        Assert.Equal(100_000, set.Items);
        for (var i = 0; i < 100_000; i++) Assert.True(set.Contains(Beginning(i)));
    }

    [Fact]
    public void Remembering_costs_far_less_than_a_handshake()
    {
        var (set, handshake) = (Of(new ReplaySettings()), new byte[16 * 1024]);
        var (remembering, hashing, number) = (double.MaxValue, double.MaxValue, 0);
        // The best of many rounds, taken by turns: other work on the machine is not what is tested.
        for (var round = 0; round < 40; round++)
        {
            remembering = Math.Min(remembering, Cost(() => set.TryAdd(Beginning(number++), 0, out _)));
            hashing = Math.Min(hashing, Cost(() => SHA256.HashData(handshake)));
        }

        output.WriteLine($"{remembering:0.000} us; a hash of 16 KB, a fraction of a handshake: {hashing:0.000} us");
        Assert.InRange(remembering / hashing, 0, 0.2);
    }

    [Fact]
    public void Remembering_allocates_nothing_but_pages()
    {
        var set = Of(new ReplaySettings());
        for (var i = 0; i < 50_000; i++) set.TryAdd(Beginning(i), 0, out _);
        var (before, bytes) = (GC.GetAllocatedBytesForCurrentThread(), set.Bytes);
        for (var i = 50_000; i < 50_100; i++) set.TryAdd(Beginning(i), 0, out _);
        // Each beginning here is an array of 32 bytes; the rest is directories that have become too small.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before - (100 * 32L) - (set.Bytes - bytes), 0, 4000);
    }

    [Fact]
    public void Items_of_earlier_processes_are_known_and_as_old_as_they_were()
    {
        var set = Of(new ReplaySettings { MaxAge = TimeSpan.FromMinutes(72) });
        Load(set, [(0, 1000, 3600), (1000, 1000, 1800)], now: 0);
        Assert.Equal(2000, set.Items);
        for (var i = 0; i < 2000; i++) Assert.True(set.Contains(Beginning(i)));
        Assert.False(set.Contains(Beginning(2000)));
        Trickle(set, 1, 20 * 60);
        Assert.False(set.Contains(Beginning(999)));   // 80 minutes old
        Assert.True(set.Contains(Beginning(1000)));   // 50
        Trickle(set, 20 * 60, 75 * 60);
        Assert.False(set.Contains(Beginning(1999)));
        Assert.InRange(set.Items, 50, 80); // those of each minute
    }

    [Fact]
    public void An_item_of_an_earlier_process_that_is_repeated_stays_young()
    {
        var set = Of(new ReplaySettings { MaxAge = TimeSpan.FromMinutes(72) });
        Load(set, [(0, 10, 3600)], now: 0);
        Assert.False(set.TryAdd(Beginning(3), 60, out _));
        Assert.Equal(10, set.Items);
        var with = set.Bytes;
        Trickle(set, 60, 60 * 60);
        Assert.True(set.Bytes < with + 60_000); // pages of the trickle
        Assert.False(set.Contains(Beginning(4)));
        Assert.False(set.TryAdd(Beginning(3), 60 * 60, out _));
    }

    [Fact]
    public void Items_of_earlier_processes_give_way_to_new_ones_when_there_is_no_room()
    {
        var set = Of(new ReplaySettings { MaxItems = 2000 });
        Load(set, [(0, 1000, 200), (1000, 1000, 100)], now: 0);
        for (var i = 2000; i < 4000; i++)
        {
            Assert.True(set.TryAdd(Beginning(i), 0, out _));
            Assert.InRange(set.Items, 0, 2000);
        }

        Assert.False(set.Contains(Beginning(999)));
        Assert.True(set.Contains(Beginning(3999)));
        Assert.Equal((1000, 200), _evicted[0]);
    }

    [Fact]
    public void The_count_is_right_when_steps_die_while_items_are_repeated_on_many_threads()
    {
        var settings = new ReplaySettings { MaxItems = 64 };
        for (var round = 0; round < 20; round++)
        {
            var set = Of(settings);
            Parallel.For(0, 4, thread =>
            {
                for (var i = 0; i < 5000; i++) set.TryAdd(Beginning((i * 7 + thread) % 100), 0, out _);
            });
            Assert.InRange(set.Items, 1, 67); // each thread may add one after it saw that there is room
            Assert.Equal(set.Items, Enumerable.Range(0, 100).Count(i => set.Contains(Beginning(i))));
        }
    }

    // Microseconds for one of 500.
    private static double Cost(Action action)
    {
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < 500; i++) action();
        return watch.Elapsed.TotalMicroseconds / 500;
    }

    private static byte[] Beginning(int number)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        return bytes;
    }

    // Beginnings (from, count, seconds since the step ended), hashed with the key of Of.
    private static void Load(ReplaySet set, (int From, int Count, long EndedAgo)[] steps, long now)
    {
        var loaded = new LoadedItems(steps.Sum(step => step.Count));
        Span<byte> item = stackalloc byte[8];
        for (var step = 0; step < steps.Length; step++)
        {
            for (var i = 0; i < steps[step].Count; i++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(item, (ulong)SipHash128.Compute(new byte[16], Beginning(steps[step].From + i)));
                loaded.Add(item, (ushort)step);
            }
        }

        loaded.Order();
        set.Begin(loaded, [.. steps.Select(step => (step.Count, step.EndedAgo))], now);
    }

    // Somebody comes each minute, so that the set hears of time.
    private static void Trickle(ReplaySet set, int from, int to)
    {
        for (var now = from; now <= to; now += 60) set.TryAdd(Beginning(-now), now, out _);
    }

    // A key that stays the same, so that a failing test fails again.
    private ReplaySet Of(ReplaySettings settings, byte key = 0) =>
        new(settings, (items, seconds) => _evicted.Add((items, seconds)), [.. Enumerable.Repeat(key, 16)]);
}
