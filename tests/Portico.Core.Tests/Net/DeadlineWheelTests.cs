using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class DeadlineWheelTests
{
    private const int Tick = DeadlineWheel.TickMs, FarTick = Tick * DeadlineWheel.FarStep, Turn = Tick * DeadlineWheel.Buckets;

    private readonly LoopBench _bench = new();
    private readonly DeadlineWheel _wheel = new(Tick);
    private readonly List<int> _fired = [];

    [Fact]
    public void Deadlines_fire_in_order_and_neither_early_nor_more_than_a_tick_late_five_where_they_are_far()
    {
        var random = new Random(1);
        var due = new Dictionary<int, int>();
        for (var i = 0; i < 600; i++)
        {
            var slot = Slot();
            due[slot] = random.Next(1, 200_000);
            _wheel.Set(slot, due[slot]);
        }

        var order = new List<int>();
        for (var now = Tick; due.Count > 0; now += Tick)
        {
            Advance(now);
            foreach (var slot in _fired)
            {
                var late = due[slot] < 30 * Tick ? 2 * Tick : FarTick + Tick;
                Assert.InRange(due[slot], now - late + 1, now);
                order.Add((due[slot] - 1) / FarTick);
                due.Remove(slot);
            }

            _fired.Clear();
        }

        Assert.Equal(order.Order(), order);
    }

    [Fact]
    public void A_loop_sleeps_until_a_deadline_and_not_from_tick_to_tick()
    {
        var (near, far) = (Slot(), Slot());
        _wheel.Set(near, 10_000);
        Assert.Equal(10_000 - Tick, _wheel.SleepMs(Tick));
        Advance(10_000);
        Assert.Equal([near], _fired);
        Assert.Equal(-1, _wheel.SleepMs(10_000));

        // Further away than a turn of the wheel: one look per turn.
        _wheel.Set(far, 10_000 + (3 * Turn) + 520);
        Assert.Equal(520, _wheel.SleepMs(10_000));
        Advance(10_520);
        Assert.Equal(Turn, _wheel.SleepMs(10_520));
        _wheel.Clear(far);
        Assert.Equal(-1, _wheel.SleepMs(10_520));
    }

    [Fact]
    public void No_deadline_is_slept_over()
    {
        var random = new Random(7);
        for (var round = 0; round < 2000; round++)
        {
            var (now, slot) = ((round * 1000) + 100 + random.Next(900), Slot());
            Advance(now);
            _fired.Clear();
            var due = now + random.Next(1, 1000 * Tick);
            _wheel.Set(slot, due);
            Assert.InRange(now + _wheel.SleepMs(now), due - Tick, due + FarTick + Tick);
            _wheel.Clear(slot);
        }
    }

    [Fact]
    public void Far_deadlines_survive_many_turns_of_the_wheel()
    {
        const int twentyMinutes = 20 * 60 * 1000;
        var (near, far) = (Slot(), Slot());
        _wheel.Set(far, twentyMinutes);
        _wheel.Set(near, twentyMinutes % Turn); // the same bucket, 29 turns before
        for (var now = 0; now < twentyMinutes; now += Tick) Advance(now);
        Assert.Equal([near], _fired);
        Advance(twentyMinutes);
        Assert.Equal([near, far], _fired);
    }

    [Fact]
    public void A_deadline_set_again_fires_once_and_at_the_new_time()
    {
        var slot = Slot();
        _wheel.Set(slot, 500);
        _wheel.Set(slot, 1000);
        Advance(950);
        Assert.Empty(_fired);
        Advance(5000);
        Assert.Equal([slot], _fired);
    }

    [Fact]
    public void A_cleared_deadline_never_fires_and_clearing_twice_is_fine()
    {
        var (cleared, kept) = (Slot(), Slot());
        _wheel.Set(cleared, 500);
        _wheel.Set(kept, 500);
        _wheel.Clear(cleared);
        _wheel.Clear(cleared);
        Advance(60_000);
        Assert.Equal([kept], _fired);
    }

    [Fact]
    public void A_deadline_in_the_past_fires_with_the_next_tick()
    {
        Advance(10_000);
        var slot = Slot();
        _wheel.Set(slot, 3);
        Advance(10_000 + Tick - 1);
        Assert.Empty(_fired);
        Advance(10_000 + Tick);
        Assert.Equal([slot], _fired);
    }

    [Fact]
    public void A_callback_may_arm_itself_again_in_the_very_bucket_that_is_being_fired()
    {
        const int Turns = DeadlineWheel.FarStep * Turn; // so many ticks are a multiple of the step of far ones
        var slot = Slot(channel => _wheel.Set(channel.Slot, 500 + (_fired.Count * (long)Turns)));
        _wheel.Set(slot, 500);
        Advance(500);
        Assert.Equal([slot], _fired);
        Advance(500 + Turns - Tick);
        Assert.Equal([slot], _fired);
        Advance(500 + Turns);
        Assert.Equal([slot, slot], _fired);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_callback_may_clear_any_other_of_its_bucket(int victim)
    {
        // Whichever comes first in the bucket clears the victim: the next, one in the middle, the last, or itself.
        var slots = new List<int>();
        var first = true;
        for (var i = 0; i < 4; i++)
        {
            slots.Add(Slot(_ =>
            {
                if (!first) return;
                first = false;
                var others = slots.Except([_fired[0]]).ToList();
                _wheel.Clear(victim < others.Count ? others[victim] : _fired[0]);
            }));
        }

        foreach (var slot in slots) _wheel.Set(slot, 500);
        Advance(2000);
        Assert.Equal(victim < 3 ? 3 : 4, _fired.Count);
        Assert.Equal(_fired.Count, _fired.Distinct().Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Whatever_callbacks_arm_and_clear_everybody_fires_when_the_last_call_said(int seed)
    {
        var random = new Random(seed);
        var now = Tick;
        var armed = new Dictionary<int, long>();
        var slots = new List<int>();
        void Meddle(int calls)
        {
            for (; calls > 0; calls--)
            {
                var slot = slots[random.Next(slots.Count)];
                if (random.Next(3) == 0)
                {
                    _wheel.Clear(slot);
                    armed.Remove(slot);
                    continue;
                }

                // Often into the same few ticks, sometimes a turn or two ahead.
                var due = now + (random.Next(4) * Tick) + (random.Next(3) * Turn);
                _wheel.Set(slot, due);
                armed[slot] = Math.Max(due, now + Tick);
            }
        }

        for (var i = 0; i < 60; i++)
        {
            slots.Add(Slot(channel =>
            {
                Assert.True(armed.Remove(channel.Slot, out var due), "fired without being armed");
                Assert.Equal(now, due);
                Meddle(random.Next(5));
            }));
        }

        Meddle(100);
        for (var tick = 0; tick < 5000; tick++)
        {
            now += Tick;
            Advance(now);
            Assert.DoesNotContain(armed.Values, due => due <= now);
            Meddle(2);
        }

        Assert.True(_fired.Count > 500);
    }

    [Fact]
    public void A_wheel_with_nothing_armed_sleeps_for_ever()
    {
        var slot = Slot();
        Assert.Equal(-1, _wheel.SleepMs(Tick));
        _wheel.Set(slot, 20_000);
        Assert.Equal(20_000 - Tick, _wheel.SleepMs(Tick));
        Assert.Equal(20_000 - Tick - 20, _wheel.SleepMs(Tick + 20));
        _wheel.Clear(slot);
        Assert.Equal(-1, _wheel.SleepMs(Tick));
        _wheel.Set(slot, 100);
        Advance(1000);
        Assert.Equal(-1, _wheel.SleepMs(1000));
    }

    [Fact]
    public void After_a_long_sleep_with_nothing_armed_new_deadlines_are_on_time()
    {
        Advance(24 * 3600 * 1000);
        var slot = Slot();
        _wheel.Set(slot, (24 * 3600 * 1000) + 300);
        Advance((24 * 3600 * 1000) + 250);
        Assert.Empty(_fired);
        Advance((24 * 3600 * 1000) + 300);
        Assert.Equal([slot], _fired);
    }

    private int Slot(Action<Channel>? then = null)
    {
        var owner = new NotingOwner
        {
            Deadline = channel =>
            {
                _fired.Add(channel.Slot);
                then?.Invoke(channel);
            },
        };
        return _bench.Channel(owner).Slot;
    }

    private void Advance(int nowMs) => _wheel.Advance(nowMs, _bench.Loop.Slots);
}
