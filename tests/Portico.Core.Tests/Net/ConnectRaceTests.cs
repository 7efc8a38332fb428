using System.Net;
using System.Net.Sockets;
using Portico.Core.Net;
using Portico.TestKit.Memory;
using Xunit;

namespace Portico.Core.Tests.Net;

public class ConnectRaceTests
{
    private const int LimitMs = 5000;

    private static readonly IPEndPoint A = new(IPAddress.Parse("192.0.2.1"), 443);
    private static readonly IPEndPoint B = new(IPAddress.Parse("192.0.2.2"), 443);
    private static readonly IPEndPoint C = new(IPAddress.Parse("192.0.2.3"), 443);

    private readonly LoopBench _bench = new();
    private readonly List<(RaceNews News, EndPoint? Address, SocketError Error)> _told = [];
    private readonly ConnectRace _race;
    private Channel? _won;

    public ConnectRaceTests() => _race = new ConnectRace(_bench.Loop);

    [Fact]
    public void The_next_address_starts_a_quarter_of_a_second_after_a_silent_one()
    {
        Answer(ConnectAnswer.Silence, A, B);
        Begin(A, B, C);
        Advance(240);
        Assert.Equal([A], Tried());
        Advance(20);
        Assert.Equal([A, B], Tried());
        Advance(260);
        Assert.Equal([A, B, C], Tried());
        Assert.Equal([(RaceNews.Overtaken, B), (RaceNews.Overtaken, A), (RaceNews.Won, C)], Told());
        Assert.All(_bench.Loop.Connects.Take(2), connect => Assert.True(connect.IsReleased));
        Assert.False(_bench.Loop.Connects[2].IsReleased);
    }

    [Theory]
    [InlineData(ConnectAnswer.Refuse, SocketError.ConnectionRefused)]
    [InlineData(ConnectAnswer.NoSocket, SocketError.TooManyOpenSockets)]
    public void The_next_address_starts_at_once_after_a_failure(ConnectAnswer answer, SocketError error)
    {
        Answer(answer, A);
        Begin(A, B);
        Advance(1);
        Assert.Equal([(RaceNews.Failed, A), (RaceNews.Won, B)], Told());
        Assert.Equal(error, _told[0].Error);
    }

    [Fact]
    public void It_tells_what_became_of_each_attempt_until_it_is_dropped()
    {
        Answer(ConnectAnswer.Refuse, A);
        Answer(ConnectAnswer.Silence, B);
        Begin(A, B);
        Advance(1);
        Assert.Equal($"{A} connection refused, {B} no answer", _race.Describe());
        Assert.Null(_race.OwnWant);
        Advance(LimitMs + 50);
        Assert.Equal($"{A} connection refused, {B} no answer", _race.Describe());
        _race.Drop();
        _told.Clear();
        Answer(ConnectAnswer.NoSocket, A);
        Begin(A);
        Advance(1);
        Assert.Equal($"{A} no file descriptors left", _race.Describe());
        Assert.Equal(SocketError.TooManyOpenSockets, _race.OwnWant);
    }

    [Fact]
    public void An_early_address_that_answers_late_wins_and_the_later_one_is_not_held_against_it()
    {
        Answer(ConnectAnswer.Silence, A, B);
        Begin(A, B);
        Advance(1000);
        _bench.Loop.Connects[0].Succeed();
        Advance(1);
        Assert.Equal([(RaceNews.Won, A)], Told());
        Assert.True(_bench.Loop.Connects[1].IsReleased);
    }

    [Fact]
    public void A_connection_that_was_reset_before_it_was_used_has_failed()
    {
        _bench.Loop.Connected = connect => connect.Peer.Reset();
        Begin(A);
        Advance(1);
        Assert.Equal([(RaceNews.Failed, A), (RaceNews.NoneLeft, null)], Told());
        Assert.Equal(SocketError.ConnectionReset, _told[0].Error);
    }

    [Fact]
    public void When_the_time_is_over_every_attempt_has_timed_out_and_nothing_is_left()
    {
        Answer(ConnectAnswer.Silence, A, B);
        Begin(A, B);
        Advance(LimitMs + 50);
        Assert.Equal([(RaceNews.Failed, B), (RaceNews.Failed, A), (RaceNews.TooLate, null)], Told());
        Assert.Equal(0, _bench.Loop.Slots.Count);
    }

    [Fact]
    public void A_race_without_an_address_is_over()
    {
        Begin();
        Assert.Equal([(RaceNews.NoneLeft, null)], Told());
    }

    [Fact]
    public void Dropping_a_race_closes_what_is_under_way_and_it_can_be_run_again()
    {
        Answer(ConnectAnswer.Silence, A);
        Begin(A);
        _race.Drop();
        _bench.Run();
        Assert.Equal(0, _bench.Loop.Slots.Count);
        Begin(B);
        Advance(1);
        Assert.Equal([(RaceNews.Won, B)], Told());
    }

    [Fact]
    public void Dropping_a_race_leaves_the_winner_that_was_handed_over()
    {
        Begin(A);
        Advance(1);
        _race.Drop();
        Assert.False(_won!.IsClosed);
    }

    private void Answer(ConnectAnswer answer, params IPEndPoint[] addresses)
    {
        foreach (var address in addresses) _bench.Loop.Answer(address, answer);
    }

    private void Begin(params IPEndPoint[] addresses)
    {
        _race.Begin(new NotingOwner { Ready = _ => Ask() }, _bench.Loop.NowMs + LimitMs, LocalAddresses.None);
        foreach (var address in addresses) _race.Add(address);
        Ask();
    }

    // As its users do: after each event, and when it asked to be woken.
    private void Advance(int ms)
    {
        for (; ms > 0; ms -= 10)
        {
            _bench.Loop.Advance(TimeSpan.FromMilliseconds(Math.Min(ms, 10)));
            if (_won is null && _bench.Loop.NowMs >= _race.WakeMs) Ask();
        }
    }

    private void Ask()
    {
        if (_won is not null || (_told.Count > 0 && _told[^1].News is RaceNews.NoneLeft or RaceNews.TooLate))
            return;
        for (var news = RaceNews.Failed; news is RaceNews.Failed or RaceNews.Overtaken;)
        {
            news = _race.Advance(out var attempt);
            if (news == RaceNews.Won) _won = attempt.Channel;
            if (news != RaceNews.Waiting) _told.Add((news, attempt.Address, attempt.Error));
        }
    }

    private List<EndPoint> Tried() => [.. _bench.Loop.Connects.Select(connect => connect.Address)];

    private List<(RaceNews, EndPoint?)> Told() => [.. _told.Select(told => (told.News, told.Address))];
}
