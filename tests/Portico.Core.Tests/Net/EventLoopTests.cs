using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class EventLoopTests
{
    private readonly LoopBench _bench = new();
    private readonly List<string> _order = [];

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(4, 3)]
    public void A_core_is_left_to_the_rest_of_the_machine(int cores, int loops) => Assert.Equal(loops, Engine.LoopsFor(cores));

    [Fact]
    public void What_a_task_queues_runs_only_after_the_next_events()
    {
        var owner = new NotingOwner { Ready = _ => _order.Add("event") };
        var channel = _bench.Channel(owner);
        _bench.Loop.Enqueue(new Chore(() =>
        {
            _order.Add("task");
            channel.Peer.Send([1]);
            _bench.Loop.Enqueue(new Chore(() => _order.Add("task of the task")));
        }));
        _bench.Run();
        Assert.Equal(["task", "event", "task of the task"], _order);
    }

    [Fact]
    public void An_exception_of_a_task_goes_to_that_task_and_the_next_one_runs()
    {
        var failing = new Chore(() => throw new TimeZoneNotFoundException());
        _bench.Loop.Enqueue(failing);
        _bench.Loop.Enqueue(new Chore(() => _order.Add("next")));
        _bench.Run();
        Assert.IsType<TimeZoneNotFoundException>(failing.Fault);
        Assert.Equal(["next"], _order);
    }

    [Fact]
    public void An_exception_of_a_posted_task_goes_to_that_task_and_the_next_one_runs()
    {
        var failing = new Chore(() => throw new TimeZoneNotFoundException());
        _bench.Loop.Post(failing);
        _bench.Loop.Post(new Chore(() => _order.Add("next")));
        _bench.Run();
        Assert.IsType<TimeZoneNotFoundException>(failing.Fault);
        Assert.Equal(["next"], _order);
    }

    [Fact]
    public void An_exception_of_a_posted_action_goes_to_whoever_posted_it_and_the_next_one_runs()
    {
        Exception? fault = null;
        _bench.Loop.Post(() => throw new TimeZoneNotFoundException(), error => fault = error);
        _bench.Loop.Post(() => _order.Add("next"));
        _bench.Run();
        Assert.IsType<TimeZoneNotFoundException>(fault);
        Assert.Equal(["next"], _order);
    }

    [Fact]
    public void Posts_of_other_threads_run_on_the_loop_in_their_order()
    {
        var threads = new List<int>();
        var poster = new Thread(() =>
        {
            for (var i = 0; i < 3; i++)
            {
                var number = i;
                _bench.Loop.Post(() =>
                {
                    _order.Add($"{number}");
                    threads.Add(Environment.CurrentManagedThreadId);
                });
            }
        });
        poster.Start();
        poster.Join();
        Assert.Empty(_order);
        _bench.Run();
        Assert.Equal(["0", "1", "2"], _order);
        Assert.All(threads, thread => Assert.Equal(Environment.CurrentManagedThreadId, thread));
    }

    [Fact]
    public void The_clock_of_the_loop_never_shows_the_zero_that_means_not_armed()
    {
        Assert.Equal(DeadlineWheel.TickMs, _bench.Loop.NowMs);
        _bench.Loop.Advance(TimeSpan.FromMilliseconds(1234));
        Assert.Equal(1234 + DeadlineWheel.TickMs, _bench.Loop.NowMs);
    }

    [Fact]
    public void A_timed_task_runs_in_the_first_turn_at_its_time_and_the_loop_sleeps_until_then()
    {
        var due = _bench.Loop.NowMs + 1234;
        var ran = new List<long>();
        _bench.Loop.EnqueueAt(due, new Chore(() => ran.Add(_bench.Loop.NowMs)));
        Assert.Equal(1234, _bench.Loop.SleepMs());
        _bench.Loop.Advance(TimeSpan.FromMilliseconds(1233));
        Assert.Empty(ran);
        _bench.Loop.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal([due], ran);
        Assert.Equal(-1, _bench.Loop.SleepMs());
    }

    [Fact]
    public void Timed_tasks_run_in_the_order_of_their_times_each_once()
    {
        var random = new Random(1);
        var times = Enumerable.Range(0, 200).Select(_ => _bench.Loop.NowMs + random.Next(5000)).ToArray();
        var ran = new List<long>();
        foreach (var due in times) _bench.Loop.EnqueueAt(due, new Chore(() => ran.Add(due)));
        _bench.Loop.Advance(TimeSpan.FromMilliseconds(5000));
        Assert.Equal(times.Order(), ran);
    }

    [Fact]
    public void A_timed_task_whose_time_has_passed_runs_in_the_next_turn()
    {
        _bench.Loop.Advance(TimeSpan.FromSeconds(1));
        _bench.Loop.EnqueueAt(_bench.Loop.NowMs - 500, new Chore(() => _order.Add("late")));
        Assert.Equal(0, _bench.Loop.SleepMs());
        _bench.Run();
        Assert.Equal(["late"], _order);
    }

    private sealed class Chore(Action run) : ILoopTask
    {
        public Exception? Fault { get; private set; }

        public void Run() => run();

        public void OnFault(Exception error) => Fault = error;
    }
}
