using Portico.Core.Net;
using Xunit;

namespace Portico.Core.Tests.Net;

public class EventLoopTests
{
    private readonly LoopBench _bench = new();
    private readonly List<string> _order = [];

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

    private sealed class Chore(Action run) : ILoopTask
    {
        public Exception? Fault { get; private set; }

        public void Run() => run();

        public void OnFault(Exception error) => Fault = error;
    }
}
