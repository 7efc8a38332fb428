using Portico.Core.Users;
using Portico.Protocol.Secrets;
using Xunit;

namespace Portico.Core.Tests.Users;

public class ListenerUsersTests
{
    private const long Now = 1_800_000_000;

    private static readonly DateOnly Today = new(2027, 1, 15);

    [Fact]
    public void Each_user_is_new_once_and_counted_once_in_each_period()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([.. Enumerable.Range(0, 100).Select(i => Of($"user-{i}", i))], Today);
        foreach (var user in users.All) Assert.True(user.Began(Now));
        foreach (var user in users.All) Assert.False(user.Began(Now));
        Assert.Equal(100, users.TakeLately());
        Assert.Equal(0, users.TakeLately());
        Assert.False(users.All.Last().Began(Now));
        Assert.Equal(1, users.TakeLately());
    }

    [Fact]
    public void Loops_that_meet_a_user_at_the_same_time_agree_whose_client_was_first()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([.. Enumerable.Range(0, 64).Select(i => Of($"user-{i}", i))], Today);
        var (all, first) = (users.All.ToArray(), 0);
        Parallel.For(0, 6400, i =>
        {
            if (all[i % 64].Began(Now)) Interlocked.Increment(ref first);
        });
        Assert.Equal(64, first);
        Assert.All(users.All, user => Assert.Equal(100, user.Connections));
    }

    [Fact]
    public void A_user_whose_secret_changes_is_the_same_user()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([Of("alice", 1), Of("bob", 2)], Today);
        var alice = users.Find(Secret(1), Now)!;
        alice.Began(Now);
        alice.MeterOn(0).CountReceived(10, nowMs: 1);
        alice.MeterOn(1).CountSent(20, nowMs: 1);
        alice.Ended(Now + 5);

        users.Replace([Of("alice", 3)], Today);

        Assert.Same(alice, users.Find(Secret(3), Now));
        Assert.Null(users.Find(Secret(1), Now));
        Assert.Null(users.Find(Secret(2), Now));
        Assert.Equal((0, 10, 20, Now + 5), (alice.Connections, alice.Received, alice.Sent, alice.LastSeen));
    }

    [Fact]
    public void A_former_secret_is_good_until_its_time_and_is_the_same_user()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([Of("alice", 1), Of("alice", 2) with { Until = DateTimeOffset.FromUnixTimeSeconds(Now + 60) }], Today);

        Assert.Same(users.Find(Secret(1), Now), users.Find(Secret(2), Now + 59));
        Assert.Null(users.Find(Secret(2), Now + 60));
        Assert.Single(users.All);
    }

    [Fact]
    public void Nobody_has_a_secret_of_a_listener_that_is_gone()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([Of("alice", 1)], Today);
        users.Close();
        Assert.True(users.IsClosed);
        Assert.Null(users.Find(Secret(1), Now));
    }

    [Fact]
    public void Each_of_many_secrets_finds_its_user_and_no_other_finds_one()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        foreach (var count in new[] { 0, 1, 2, 3, 4, 5, 1000, 13_107 })
        {
            users.Replace([.. Enumerable.Range(0, count).Select(i => Of($"user-{i}", i))], Today);
            for (var i = 0; i < count; i++) Assert.Equal($"user-{i}", users.Find(Secret(i), Now)!.Name);
            for (var i = count; i < count + 1000; i++) Assert.Null(users.Find(Secret(i), Now));
        }
    }

    [Fact]
    public void Of_two_who_have_one_secret_the_latter_has_it()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([Of("alice", 1), Of("bob", 2), Of("carol", 1)], Today);
        Assert.Equal("carol", users.Find(Secret(1), Now)!.Name);
        Assert.Equal(["alice", "bob", "carol"], users.All.Select(user => user.Name));
    }

    [Fact]
    public void Nothing_is_counted_of_a_user_who_never_came()
    {
        var users = new ListenerUsers("main", new UsageLedger());
        users.Replace([Of("alice", 1)], Today);
        var alice = Assert.Single(users.All);
        Assert.Equal(new UsageRow(new UsageKey("main", "alice"), 0, 0, 0, 0, 0), alice.ToRow());
        Assert.Equal((0, 0, 0, false), (alice.Connections, alice.Held, alice.Used, alice.IsForgotten));
        Assert.Null(alice.Limits);
        Assert.False(alice.TakeLately());
    }

    private static Credential Of(string name, int secret) => new(name, Secret(secret));

    private static ProxySecret Secret(int number)
    {
        var key = new byte[ProxySecret.Length];
        BitConverter.TryWriteBytes(key, number);
        return ProxySecret.Create(key);
    }
}
